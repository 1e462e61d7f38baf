-- The client's data waits for room. The server closes without wanting it: nobody can take the data any more, so the
-- connection is reset.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The peer closes while we have data for it",
    source = "RFC 7609 4.8.1",
    requirements = { "CDC-001", "CDC-002", "CDC-005", "CDC-007" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server, 5000, { rmb = "16 KiB", sndbuf = "64 KiB" })
c:send(pattern("40 KiB"))
wait_for(function() return s.readable == 16384 end, "all that fits is there")
s:close()
expect_message { "CDC", from = "server", abnormal_close = true }
expect_error(c, "RESET")
c:close()
expect_state(c, "CLOSED")
wait "1 s"
