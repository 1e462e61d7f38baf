-- Linux has no timer; taking the cork out sends at once, and with TCP_NODELAY nothing waits.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Taking out the cork sends what waited",
    source = "RFC 7609 4.5",
    requirements = { "CURSOR-014" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
c:set { cork = true }
c:send("one ")
c:send("two")
expect_no_message { "CDC", from = "client", within = "1 s" }
c:set { cork = false }
expect_message { "CDC", from = "client", prod_count = 7, within = "1 ms" }
expect(s:receive(7), "one two")
c:set { nodelay = true }
c:send("now")
expect_message { "CDC", from = "client", prod_count = 10, within = "1 ms" }
wait "1 s"
