-- Both links of an SMC-Rv2 group go without a gateway, and both ADD LINK messages say so.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "ADD LINK of SMC-Rv2 names a direct route",
    source = "linux net/smc/smc_llc.c",
    requirements = { "LLC-069", "CLC-055" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 2 } }
host "server" { address = "10.0.0.2/24", versions = { 2 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
link("client", "server")
link("client.eth1", "server.eth1")

local c, s = connect(client, server)
expect_message { "CLC Accept", from = "server", v2_direct = true }
expect_message { "ADD LINK", from = "server", response = false, v2_direct = true }
expect_message { "ADD LINK", from = "client", response = true, reject = false, v2_direct = true }
expect_links("client", 2)
transfer { from = c, to = s, bytes = "64 KiB", both_ways = true }
wait "1 s"
