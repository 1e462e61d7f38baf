-- close() says "closed"; the peer reads the end of the stream, closes as well, and both are over.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The client closes first",
    source = "RFC 7609 4.8.1",
    requirements = { "CLOSE-001", "CLOSE-005", "CLOSE-008", "CLOSE-023", "CLOSE-024" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
c:send("bye")
expect(s:receive(3), "bye")
c:close()
expect_state(c, "PEERCLOSEWAIT1")
expect_message { "CDC", from = "client", closed = true, abnormal_close = false }
expect_state(s, "APPCLOSEWAIT1")
s:at_end()
s:close()
expect_message { "CDC", from = "server", closed = true, abnormal_close = false }
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
expect(count_messages { "TCP RST" }, 0)
wait "1 s"
