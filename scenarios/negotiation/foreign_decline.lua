-- Codes are the sender's own affair: whatever it is, 0 and all ones too, the receiver falls back and keeps its groups.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A Decline with a code that nobody knows",
    source = "RFC 7609 A.2.5",
    requirements = { "CLC-046", "CLC-054" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
host "refuses" { address = "10.0.0.3/24", ipsec = true }
switch "sw"
for _, h in ipairs { client, server, refuses } do link(h, "sw") end
local c1, s1 = connect(client, server)
for _, code in ipairs { 0, 0xffffffff, 0x06000000, 0x99990000, 0x04000000, 1 } do
    refuses:edit { "CLC Decline", diagnosis = code }
    local c, s = connect(client, refuses)
    expect(c.mode, "TCP")
    expect(c.fallback, 0x05000000)
    expect(c.peer_diagnosis, code)
    transfer { from = c, to = s, bytes = "10 KiB", both_ways = true }
end
expect_groups("client", 1)
expect_links("client", 1)
transfer { from = c1, to = s1, bytes = "50 KiB", both_ways = true }
expect(count_messages { "CLC Decline", from = "client" }, 0)
