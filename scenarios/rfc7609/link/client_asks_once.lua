-- The answer to a client's REQUEST ADD LINK is lost. While it waits for it, another event of its second RNIC asks nothing more.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "REQUEST ADD LINK is not repeated while it is unanswered",
    source = "linux net/smc/smc_llc.c; RFC 7609 3.5.4.2",
    requirements = { "LLC-026", "LLC-078" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 2 } }
host "server" { address = "10.0.0.2/24", versions = { 2 } }
client:interface "eth1" { address = "10.0.0.11/24" }
switch "sw0"
link("client", "sw0")
local late = link("client.eth1", "sw0")
link("server", "sw0")
late:down()

local c, s = connect(client, server)
expect_links("server", 1)
wait_quiet()
skip_messages()
server:edit { "ADD LINK", of = "request", drop = true }
server:edit { "REQUEST ADD LINK", of = "response", drop = true }
late:up()
expect_message { "REQUEST ADD LINK", from = "client", response = false }
wait "200 ms"
late:down()
wait "10 ms"
late:up()
expect_no_message { "REQUEST ADD LINK", from = "client", response = false, within = "2 s" }
c:send("still here")
expect(s:receive(10), "still here")
wait "1 s"
