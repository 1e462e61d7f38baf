-- The reader does not read. The sender fills the RMBE, says "writer blocked", and sends the rest when it hears of room.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Data flow 2: the sender is blocked and let go",
    source = "RFC 7609 4.7.2",
    requirements = { "CURSOR-001", "CURSOR-003", "CURSOR-010", "CURSOR-011", "CDC-007" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server, 5000, { rmb = "16 KiB", sndbuf = "64 KiB" })
wait_quiet()
local data = pattern("40 KiB")
c:send(data)
expect_message { "CDC", from = "client", writer_blocked = true }
wait_for(function() return s.readable == 16384 end, "all that fits is there")
skip_messages()
expect_no_message { "RDMA WRITE", from = "client", within = "10 ms" }
expect(s:receive(10000), data:sub(1, 10000))
expect_message { "CDC", from = "server", cons_count = 10000 }
expect_message { "RDMA WRITE", from = "client" }
expect(s:receive(30960), data:sub(10001))
wait "1 s"
