-- The server says that it has sent all; the client goes on sending, then closes.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Half close: the server has sent all",
    source = "RFC 7609 4.8.1",
    requirements = { "CLOSE-004", "CLOSE-005", "CLOSE-007", "CLOSE-009" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
s:shutdown("write")
expect_message { "CDC", from = "server", sending_done = true }
c:at_end()
c:send(pattern(5000))
expect(s:receive(5000), pattern(5000))
c:close()
expect_state(c, "PEERFINCLOSEWAIT")
expect_state(s, "APPFINCLOSEWAIT")
s:close()
expect_state(s, "CLOSED")
expect_state(c, "CLOSED")
wait "1 s"
