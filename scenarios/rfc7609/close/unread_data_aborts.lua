-- The server closes without having read: what the client sent is lost, and it must learn that.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Close with unread data is an abort",
    source = "RFC 7609 4.8.2",
    requirements = { "CDC-012" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
c:send("nobody reads this")
wait_for(function() return s.readable == 17 end, "the bytes are there")
s:close()
expect_message { "CDC", from = "server", abnormal_close = true }
expect_error(c, "RESET")
expect(c.state, "PROCESSABORT")
c:close()
expect_message { "CDC", from = "client", abnormal_close = true }
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
wait "1 s"
