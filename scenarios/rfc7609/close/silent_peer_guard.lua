-- The client has closed; the server's application does not. By the RFC a guard timer ends the wait with a reset.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The guard timer of closing states",
    source = "RFC 7609 4.8.1",
    requirements = { "CLOSE-014" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = { "rfc", close_guard_ns = "3 s" } }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = { "rfc", close_guard_ns = "3 s" } }
link("client", "server")

local c, s = connect(client, server)
c:close()
expect_state(c, "PEERCLOSEWAIT1")
wait "2.5 s"
expect(c.state, "PEERCLOSEWAIT1")
expect_state(c, "CLOSED", { within = "2 s" })
expect_message { "TCP RST", from = "client" }
s:at_end()
s:close()
expect_state(s, "CLOSED")
wait "1 s"
