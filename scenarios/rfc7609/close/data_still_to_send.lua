-- The client writes more than the peer's element holds, and closes. It is over only when all of it was written; the reader
-- gets every byte, then the end.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Close with data still to be sent",
    source = "RFC 7609 4.8.1",
    requirements = { "CLOSE-001", "CLOSE-003" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server, 5000, { rmb = "16 KiB", sndbuf = "64 KiB" })
local data = pattern("50 KiB")
c:send(data)
c:close()
expect_no_message { "CDC", closed = true, within = "10 ms" }
expect(s:receive_all(), data)
expect_message { "CDC", from = "client", closed = true }
s:close()
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
wait "1 s"
