-- TCP_NODELAY, when it is set, sends what TCP_CORK holds back; taking it away again sends nothing.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Setting NODELAY lets out what is held back",
    source = "RFC 7609 4.5.2",
    requirements = { "CURSOR-014" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")

local c, s = connect(client, server)
c:set { cork = true }
c:send("held")
c:set { nodelay = false }
expect_no_message { "CDC", from = "client", within = "100 ms" }
c:set { nodelay = true }
expect_message { "CDC", from = "client", prod_count = 4, within = "1 ms" }
expect(s:receive(4), "held")
wait "1 s"
