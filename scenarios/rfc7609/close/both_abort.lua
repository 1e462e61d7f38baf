-- Each side has unread data and closes: the two aborts cross.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Both abort at once",
    source = "RFC 7609 4.8.2",
    requirements = { "CDC-001", "CDC-002", "CDC-005", "CDC-007" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
c:send("unread")
s:send("unread")
wait_for(function() return c.readable == 6 and s.readable == 6 end, "both have what they will not read")
c:close()
s:close()
expect_message { "CDC", abnormal_close = true }
expect_message { "CDC", abnormal_close = true }
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
wait "1 s"
