-- SMC-Rv2 over IP routers: packets go to the router's MAC address, whatever MAC the peer named, and may pass more than one router.
-- The server stands for the router as well: the MAC in its Accept is that of a card nobody can reach from here.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "SMC-Rv2 through a gateway",
    source = "SMC-Rv2 announcement letter; linux net/smc/af_smc.c",
    requirements = { "CLC-055" },
    targets = { "sim" },
}

host "client" { address = "10.0.0.1/24 10.0.1.254/32", versions = { 2 }, gateway = "10.0.0.254" }
host "server" { address = "10.0.1.2/24 10.0.0.254/32", versions = { 2 }, gateway = "10.0.1.254" }
link("client", "server")
server:edit { "CLC Accept", mac = hex "02 00 00 00 00 99" }
server:edit { "CONFIRM LINK", mac = hex "02 00 00 00 00 99" }
local c, s = connect(client, server)
expect(c.mode, "SMC-R")
expect_message { "CLC Accept", from = "server", v2_direct = false, after = 0 }
transfer { from = c, to = s, bytes = "50 KiB", both_ways = true }
