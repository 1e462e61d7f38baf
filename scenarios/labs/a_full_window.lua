-- Lab 2: flow control. Each host reserves a ring of memory into which the other one writes. Two cursors tell what is in it: the
-- writer's "producer cursor" and the reader's "consumer cursor". Here the ring is small, 16 KiB, and the reader waits.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Lab 2: when the reader is slower than the writer",
    source = "RFC 7609 4.7.2, 4.7.4",
    requirements = { "CURSOR-001", "CURSOR-002", "CURSOR-003", "CURSOR-010", "CDC-007" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server, 5000, { rmb = "16 KiB", sndbuf = "64 KiB" })

-- 40 KiB for a ring of 16 KiB. The application's call returns, as the rest waits in the client's send buffer.
local data = pattern("40 KiB")
c:send(data)

-- What is on the wire: the ring is filled to the last byte. The producer's count is back at 0 and its wrap counter at 1; the
-- consumer stands at wrap 0, count 0. Equal counts and different wraps mean "full" (equal wraps would mean "empty").
-- "writer_blocked" asks the reader to tell when there is room.
expect_message { "CDC", from = "client", prod_wrap = 1, prod_count = 0, writer_blocked = true }
wait_for(function() return s.readable == 16384 end, "all that fits is there")
expect(c.tx_prod, { wrap = 1, count = 0 })

-- A virtual second passes, and nothing is written: there is no room.
skip_messages()
expect_no_message { "RDMA WRITE", from = "client", within = "1 s" }

-- The application reads half of it. The server tells (consumer cursor 8192), and the client fills the room at once.
expect(s:receive("8 KiB"), data:sub(1, 8192))
expect_message { "CDC", from = "server", cons_wrap = 0, cons_count = 8192 }
expect_message { "CDC", from = "client", prod_wrap = 1, prod_count = 8192 }

-- All the rest.
expect(s:receive("32 KiB"), data:sub(8193))
wait "1 s"

-- Things to try:
-- * Let the reader take 100 bytes only. Is each read reported? (Compare `profile = "rfc"` with the default, "linux".)
-- * Make the ring larger than the data. Is "writer_blocked" ever set?
