-- The element is full: the urgent byte cannot leave, but the notice that there is one must, at once, in a CDC without data.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Urgent data with the window closed",
    source = "RFC 7609 4.7.6",
    requirements = { "CURSOR-016", "CURSOR-015" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server, 5000, { rmb = "16 KiB", sndbuf = "64 KiB" })
c:send(pattern("16 KiB"))
wait "1 ms"
skip_messages()
c:urgent("!")
expect_message { "CDC", from = "client", urgent_pending = true, urgent_present = false, prod_wrap = 1, prod_count = 0 }
s:wait_urgent()
expect(s:receive("16 KiB"), pattern("16 KiB"))
expect_message { "CDC", from = "client", urgent_present = true, prod_count = 1 }
wait "1 ms"
expect(s:read_urgent(), "!")
wait "1 s"
