-- The cable is cut silently, in both directions. The keepalive finds out; there is no other link, so all connections end.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A TEST LINK without an answer on the only link resets",
    source = "RFC 7609 4.5.3",
    requirements = { "LLC-064", "FAILOVER-012", "CLOSE-021" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
local cable = link("client", "server")

local c, s = connect(client, server)
wait_quiet()
cable:partition()
expect_error(s, "RESET", { within = "60 s" })
expect_error(c, "RESET", { within = "60 s" })
expect_groups("server", 0)
wait "1 s"
