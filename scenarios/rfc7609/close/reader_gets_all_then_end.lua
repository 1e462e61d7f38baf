-- A slow reader still gets every byte of a writer that has long closed, and then the end.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Closing behind a lot of data",
    source = "RFC 7609 4.8.1",
    requirements = { "CLOSE-003", "CLOSE-005", "CURSOR-001" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
local data = pattern("60 KiB")
c:send(data)
c:close()
wait "100 ms"
expect(s:receive(1000), data:sub(1, 1000))
expect(s:receive_all(), data:sub(1001))
s:close()
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
wait "1 s"
