-- With nothing unread and nothing to be sent, linger 0 closes as any close does.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "SO_LINGER 0",
    source = "RFC 7609 4.8, SO_LINGER",
    requirements = { "CLOSE-001", "CLOSE-003" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
c:set { linger = 0 }
c:close()
expect_message { "CDC", from = "client", closed = true, abnormal_close = false }
s:at_end()
s:close()
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
wait "1 s"
