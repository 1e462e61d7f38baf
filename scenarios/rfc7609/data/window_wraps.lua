-- 16,000 of 16,384 bytes were written and read; the next 1000 go to the end of the element and on at its beginning: two RDMA
-- writes, one CDC, and the wrap sequence counts up.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Data flow 3: a write that wraps",
    source = "RFC 7609 4.7.3",
    requirements = { "CURSOR-001", "CURSOR-002", "CDC-007" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server, 5000, { rmb = "16 KiB" })
c:send(pattern(16000))
expect(s:receive(16000), pattern(16000))
wait_quiet()
skip_messages()
local second = pattern(1000, { seed = 2 })
c:send(second)
expect_message { "RDMA WRITE", from = "client", data_length = 384 }
expect_message { "RDMA WRITE", from = "client", data_length = 616 }
expect_message { "CDC", from = "client", prod_wrap = 1, prod_count = 616 }
expect(s:receive(1000), second)
expect(s.rx_cons, { wrap = 1, count = 616 })
wait "1 s"
