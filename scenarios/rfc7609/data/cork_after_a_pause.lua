-- The quarter of a second that corked data wait begins with the data, however long nothing happened before.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Corked data wait from when they were written",
    source = "RFC 7609 4.5.2",
    requirements = { "CURSOR-014" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", profile = "rfc" }
host "server" { address = "10.0.0.2/24", profile = "rfc" }
link("client", "server")

local c, s = connect(client, server)
c:set { cork = true }
wait "2 s"
skip_messages()
c:send("waits")
expect_no_message { "CDC", from = "client", within = "240 ms" }
expect_message { "CDC", from = "client", within = "20 ms" }
expect(s:receive(5), "waits")
wait "1 s"
