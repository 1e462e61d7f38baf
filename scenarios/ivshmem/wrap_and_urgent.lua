-- What the other devices do, it does too: wrap-around, a full window, urgent data, half close.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Small rings, slow readers and urgent data in shared memory",
    source = "seed 001 (own finding)",
    requirements = { "IVSHMEM-010", "SMCD-002", "SMCD-007" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { { "ivshmem", signal_delay = "50 us" } }, rmb = "16 KiB", sndbuf = "16 KiB" }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { { "ivshmem", signal_delay = "50 us" } }, rmb = "16 KiB", sndbuf = "16 KiB" }
link("client", "server")
local c, s = connect(client, server)
transfer { from = c, to = s, bytes = "300 KiB", both_ways = true, read_chunk = 777, read_delay = "20 us" }
local c2, s2 = connect(client, server)
c2:send("abc")
c2:urgent("!")
s2:wait_urgent()
expect(s2:read_urgent(), "!")
expect(s2:receive(3), "abc")
c2:shutdown("write")
s2:at_end()
s2:send("still")
expect(c2:receive(5), "still")
s2:close()
c2:at_end()
c2:close()
expect_state(c2, "CLOSED")
expect_state(s2, "CLOSED")
