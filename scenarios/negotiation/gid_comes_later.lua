-- A host whose only RNIC has no GID yet has no MAC address to make its peer id of. The first GID brings one, and the Confirm names it.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The first GID comes after the RNIC",
    source = "RFC 7609 A.2.1; linux net/smc/smc_ib.c",
    requirements = { "CLC-014" },
    targets = { "sim" },
}

host "client" { roce = "v2", versions = { 2 } }
host "server" { address = "10.0.0.2/24", versions = { 2 } }
client:interface "eth0" { roce = "v2" }
link("client", "server")
wait "1 ms"
client:set_address("eth0", "10.0.0.1/24")
wait "1 ms"
local c, s = connect(client, server)
expect(c.mode, "SMC-R")
local confirm = expect_message { "CLC Confirm", from = "client", after = 0 }
expect_true(confirm.bytes:sub(11, 16) ~= ("\0"):rep(6), "the client names itself with a MAC address")
transfer { from = c, to = s, bytes = "50 KiB", both_ways = true }
