-- A client confirms by what it must not: each is declined, or ends the connection.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Confirms that must be declined",
    source = "RFC 7609 A.2.4",
    requirements = { "CLC-033", "CLC-037", "CLC-065", "CLC-068" },
    targets = { "sim", "ns3", "vm" },
    roles = { "server" },
    hostile = true,
}

for _, id in ipairs { "CLC-023", "CLC-031", "CLC-033", "CLC-037", "CLC-057", "CLC-058", "CLC-060", "CLC-061", "CLC-065", "CLC-066", "CLC-067", "CLC-068" } do expect_finding { id = id, by = "client", maybe = real_time() } end
expect_finding { id = "CLC-006", by = "server", maybe = real_time() }
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
local lies = {
    { rmbe_index = 0 }, { bsize = 15 }, { mtu = 0 }, { mtu = 9 }, { version = 1 }, { path = 1 }, { type = 2 }, { type = 1 }, { length = 500 },
    { eid = "SOMEONE.ELSE" .. (" "):rep(20) }, { max_conns = 1 }, { max_links = 99 }, { release = 9 }, { v2_direct = false }, { count = 255 }, { count = 0 }, { qpn = 0 }, { gid = ("\0"):rep(16) },
}
-- What only a first contact has: a real server keeps the group of the one before.
local function later(lie) return not (lie.eid or lie.max_conns or lie.max_links or lie.release or lie.count or lie.v2_direct ~= nil) end
for i, lie in ipairs(lies) do
    if real_time() and not later(lie) then goto continue end
    if lie.count then
        local n = lie.count
        lie = { bytes = function(b) local at = #b - 4 - 16 - 4 return b:sub(1, at) .. string.char(n) .. b:sub(at + 2) end }
    end
    lie[1] = "CLC Confirm"
    client:edit(lie)
    local c = client:connect(server, 5000)
    c:decided "20 s"
    if real_time() then wait "500 ms" end
    local s = server:try_accept(5000)
    expect_true(s == nil or s.mode ~= "SMC-D", "lie " .. i)
    c:close()
    if s then s:close() end
    groups_end() -- a first contact each time
    ::continue::
end
local c, s = connect(client, server, 5000)
expect(c.mode, "SMC-R")
works(c, s)
