-- The same with the roles exchanged.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The server closes first",
    source = "RFC 7609 4.8.1",
    requirements = { "CLOSE-001", "CLOSE-008", "CLOSE-023", "CLOSE-024" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
s:close()
expect_state(s, "PEERCLOSEWAIT1")
expect_message { "CDC", from = "server", closed = true }
c:at_end()
expect(c.state, "APPCLOSEWAIT1")
c:close()
expect_message { "CDC", from = "client", closed = true }
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
wait "1 s"
