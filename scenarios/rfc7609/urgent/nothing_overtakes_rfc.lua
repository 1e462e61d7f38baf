-- Behind urgent data nothing may be written until the peer's consumer cursor covers it. The reader reports that at once.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "No data behind urgent data before it was read (RFC)",
    source = "RFC 7609 4.5.2",
    requirements = { "CURSOR-015", "CURSOR-018" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = "rfc" }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = "rfc" }
link("client", "server")

local c, s = connect(client, server)
wait_quiet()
c:urgent("!")
c:send("behind")
s:wait_urgent()
skip_messages()
expect_no_message { "RDMA WRITE", from = "client", within = "50 ms" }
expect(s:read_urgent(), "!")
expect_message { "CDC", from = "server", cons_count = 5 }
expect_message { "RDMA WRITE", from = "client", data_length = 6 }
expect(s:receive(6), "behind")
wait "1 s"
