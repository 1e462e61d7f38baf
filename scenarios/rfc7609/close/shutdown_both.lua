-- The client shuts both directions: the peer is told "closed". The socket itself is over only with close().
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "shutdown(both) is a close that keeps the socket",
    source = "RFC 7609 4.8.1",
    requirements = { "CLOSE-001", "CLOSE-009" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
c:shutdown("both")
expect_message { "CDC", from = "client", closed = true }
expect_state(s, "APPCLOSEWAIT1")
s:close()
expect_message { "CDC", from = "server", closed = true }
expect_state(s, "CLOSED")
expect_state(c, "APPFINCLOSEWAIT")
c:close()
expect_state(c, "CLOSED")
wait "1 s"
