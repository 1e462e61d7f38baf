-- Five connections, so five RMBs at each host, before the second RNICs come. Two keys fit into one CONTINUATION: three
-- messages each way.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A second link learns the keys of many buffers",
    source = "RFC 7609 3.5.1.6, A.3.3",
    requirements = { "LLC-029", "LLC-030", "LLC-031", "LLC-032", "LLC-033", "FAILOVER-013" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
local first_cable = link("client", "server")
local second_cable = link("client.eth1", "server.eth1")

second_cable:down()
local sockets = {}
for i = 1, 5 do
    local c, s = connect(client, server, 5000, { within = "30 s" })
    sockets[i] = { c, s }
end
skip_messages()
second_cable:up()
expect_message { "ADD LINK", from = "client", response = true, reject = false, within = "30 s" }
expect_message { "ADD LINK CONTINUATION", from = "server", rtoken_count = 5 }
expect_message { "ADD LINK CONTINUATION", from = "client", rtoken_count = 5 }
expect_message { "ADD LINK CONTINUATION", from = "server", rtoken_count = 3 }
expect_message { "ADD LINK CONTINUATION", from = "client", rtoken_count = 3 }
expect_message { "ADD LINK CONTINUATION", from = "server", rtoken_count = 1 }
expect_message { "ADD LINK CONTINUATION", from = "client", rtoken_count = 1 }
expect_links("client", 2)
first_cable:down()
for _, pair in ipairs(sockets) do
    transfer { from = pair[1], to = pair[2], bytes = "4 KiB", both_ways = true }
end
wait "1 s"
