-- One shutdown(write) after the other: PEERCLOSEWAIT2 at the first, APPCLOSEWAIT2 at the second.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Both sides half close, then close",
    source = "RFC 7609 4.8.1",
    requirements = { "CLOSE-004", "CLOSE-007" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
c:shutdown("write")
expect_state(s, "APPCLOSEWAIT1")
s:shutdown("write")
expect_state(s, "APPCLOSEWAIT2")
expect_state(c, "PEERCLOSEWAIT2")
c:at_end()
s:at_end()
c:close()
expect_message { "CDC", from = "client", sending_done = true, closed = true }
s:close()
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
wait "1 s"
