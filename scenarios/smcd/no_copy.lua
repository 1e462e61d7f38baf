-- The send buffer is the peer's ring: there is as much room as the peer has, and its reading makes room.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Without copies the sender writes into the peer's ring",
    source = "dibs include/linux/dibs.h",
    requirements = { "SMCD-019", "SMCD-021" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", no_copy = true, devices = { "loopback" }, rmb = "64 KiB" }
host "server" { address = "10.0.0.2/24", machine = "m", no_copy = true, devices = { "loopback" }, rmb = "32 KiB" }
link("client", "server")
local c, s = connect(client, server)
expect(c.mode, "SMC-D")
expect_true(count_messages { "SMC-D attach" } >= 2, "both attach the other's DMB")
expect(c.sndbuf_bytes, s.rmb_bytes, "the sender's room is the peer's ring")

local taken = c:try_send(pattern(100000, { seed = 3 }))
expect(taken, s.rmb_bytes - 32)
expect(c:try_send("more"), 0)
wait "1 s"
expect(c:try_send("more"), 0, "nothing was consumed")
expect(s:receive(1000), pattern(1000, { seed = 3 }))
expect(s:receive(taken - 1000), pattern(100000, { seed = 3 }):sub(1001, taken))
wait "10 ms"
expect(c:try_send("more"), 4)
expect(s:receive(4), "more")
transfer { from = c, to = s, bytes = "2 MiB", both_ways = true }
