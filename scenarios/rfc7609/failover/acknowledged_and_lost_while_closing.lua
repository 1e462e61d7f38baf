-- The server's RNIC acknowledges data and "closed", places the data, and loses the messages. A connection that is closing sends no
-- failover message that would tell: it says its last word again over the other link, and the data are there.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Closed, acknowledged but never heard: said again when the link fails",
    source = "RFC 7609 4.6, 4.8",
    requirements = { "FAILOVER-019" },
    targets = { "sim" },
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
server:roce_fault("eth0", { "not placed", operations = "send", first = 1, every = 1, times = 2 })
c:send("heard late")
c:close()
wait "5 ms"
expect(s.readable, 0)
expect_state(s, "ACTIVE")
first_cable:down()
expect(s:receive_all(), "heard late")
s:close()
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
wait "1 s"
