-- The last byte of the ring is urgent, so the cursor one beyond it stands at the ring's start, one wrap later.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "An urgent byte at the very end of the element",
    source = "RFC 7609 4.5.2",
    requirements = { "CURSOR-019", "CURSOR-027" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server, 5000, { rmb = "16 KiB" })
c:send(pattern(16383))
expect(s:receive(16383), pattern(16383))
wait_quiet()
c:urgent("!")
expect_message { "CDC", from = "client", urgent_present = true, prod_wrap = 1, prod_count = 0 }
s:wait_urgent()
wait "1 ms"
expect(s:read_urgent(), "!")
wait "1 s"
