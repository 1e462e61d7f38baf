-- The two "closed" cross. Each side is the active one.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Both close at once",
    source = "RFC 7609 4.8.1",
    requirements = { "CLOSE-001", "CLOSE-008" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
c:close()
s:close()
expect_message { "CDC", closed = true }
expect_message { "CDC", closed = true }
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
expect(count_messages { "TCP RST" }, 0)
wait "1 s"
