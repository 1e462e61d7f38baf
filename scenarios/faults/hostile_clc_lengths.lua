-- A client sends a Proposal of every wrong length: cut anywhere, longer than it is, shorter than it can be.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Proposals of wrong lengths",
    source = "RFC 7609 A.2, C.6",
    requirements = { "CLC-003", "CLC-008", "CLC-015", "CLC-044" },
    targets = { "sim", "ns3" },
    hostile = true,
}

for _, id in ipairs { "CLC-008", "CLC-023", "CLC-026" } do expect_finding { id = id, by = "client" } end

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")
server:listen(5000)
local function try(change)
    client:edit { "CLC Proposal", bytes = change }
    local c = client:connect(server, 5000)
    wait "10 s" -- also for what never comes
    expect(counters("server").server_handshakes - counters("server").handshake_errors, 0)
    c:close()
    wait "1 ms"
end
for _, length in ipairs { 0, 7, 8, 11, 12, 39, 40, 51, 52, 100, 163, 165, 2000, 32767, 65535 } do
    try(function(b) return b:sub(1, 5) .. string.pack(">I2", length) .. b:sub(8) end)
end
for _, cut in ipairs { 1, 4, 5, 7, 8, 12, 40, 100, 163 } do
    try(function(b) return b:sub(1, cut) end) -- what it says is more than comes
    if cut >= 8 then try(function(b) return b:sub(1, 5) .. string.pack(">I2", cut) .. b:sub(8, cut) end) end
end
expect_groups("server", 0)
