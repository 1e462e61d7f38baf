-- The server's RNIC acknowledges a CDC and loses it. The failover message then names a number that the server has not seen:
-- data may be missing, so the connection must be reset at once.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Data acknowledged but never seen: reset",
    source = "RFC 7609 4.6.2",
    requirements = { "CDC-001", "CDC-002", "CDC-005", "CDC-007" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
local first_cable = link("client", "server")
link("client.eth1", "server.eth1")

local c, s = connect(client, server)
expect_links("client", 2)
wait_quiet()
server:roce_fault("eth0", { "not placed", operations = "send", first = 1, times = 1 })
c:send("lost")
wait "5 ms"
first_cable:down()
expect_error(s, "RESET")
expect_error(c, "RESET")
wait "1 s"
