-- A client sends bytes that are no CLC at all, CLC of the wrong type, or one message too many.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Garbage, and messages of the wrong type",
    source = "RFC 7609 A.2, C.6",
    requirements = { "CLC-001", "CLC-008", "CLC-046" },
    targets = { "sim", "ns3", "vm" },
    roles = { "server" },
    hostile = true,
}

for _, id in ipairs { "CLC-001", "CLC-004", "CLC-007" } do expect_finding { id = id, by = "client" } end
if real_time() then expect_finding { id = "*", by = "client", maybe = true } end -- what follows depends on the real host's answer

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")

local function works(c, s)
    c:send(pattern(20000, { seed = 7 }))
    expect(s:receive(20000), pattern(20000, { seed = 7 }))
    s:send(pattern(20000, { seed = 8 }))
    expect(c:receive(20000), pattern(20000, { seed = 8 }))
end
server:listen(5000)
local function try(bytes, outcome)
    client:edit { "CLC Proposal", bytes = function(b) return type(bytes) == "function" and bytes(b) or bytes end }
    local c = client:connect(server, 5000)
    c:decided "10 s"
    expect(c.mode ~= "SMC-R" and c.mode ~= "SMC-D", true)
    c:close()
    wait "1 ms"
end
try("GET / HTTP/1.1\r\nHost: server\r\n\r\n")
try(pattern(500))
try(("\0"):rep(200))
try(("\255"):rep(1000))
try(encode { "CLC Accept" })
try(encode { "CLC Confirm" })
try(function(b) return b:sub(1, 4) .. "\5" .. b:sub(6) end) -- type 5
try(function(b) return b:sub(1, 4) .. "\0" .. b:sub(6) end)
try(function(b) return b:sub(1, 7) .. "\x01" .. b:sub(9) end) -- version 0
try(function(b) return "SMCR" .. b:sub(5) end) -- ASCII
try(function(b) return b:sub(1, -5) .. "SMCR" end)
try(function(b) return b .. b end)
local c, s = connect(client, server, 5000)
works(c, s)
