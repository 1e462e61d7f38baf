-- The peer's device acknowledged data that it never placed: what the application gets is not what was sent, or the validation after a failover finds out.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Acknowledged and not placed",
    source = "RFC 7609 4.6.1; devices/roce.h NOT_PLACED",
    requirements = { "FAILOVER-002", "FAILOVER-004" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
local l0 = link("client", "server")
local l1 = link("client.eth1", "server.eth1")
server:listen(5000)

-- The last CDC before the link is lost was acknowledged, and never came: its number tells when the connections move.
local c, s = connect(client, server, 5000)
expect_links("client", 2)
c:send("first")
expect(s:receive(5), "first")
local device = c.link == 1 and "eth0" or "eth1"
server:roce_fault("eth0", { "not placed", operations = "send" })
server:roce_fault("eth1", { "not placed", operations = "send" })
c:send("second")
wait "50 ms" -- longer than any completion is under way
server:roce_fault("eth0")
server:roce_fault("eth1")
expect(s.readable, 0)
expect_finding { id = "FAILOVER-005", by = "server" } -- on the wire nothing is missing
client:remove("roce " .. device)
expect_error(s, "RESET", { within = "10 s" })
expect_error(c, "RESET", { within = "10 s" })
expect(s:try_receive(100), "")
wait "5 ms" -- what came over the link that lives is acknowledged: it is not that which failed
