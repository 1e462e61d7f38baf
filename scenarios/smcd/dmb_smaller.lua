-- The first two registrations fail for want of memory: the third, two sizes smaller, does it, and the peer is told that size.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A DMB of a smaller size when the wanted one is refused",
    source = "linux net/smc/smc_core.c",
    requirements = { "SMCD-031", "SMCD-002" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { "ism" }, rmb = "256 KiB" }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { "ism" }, rmb = "256 KiB" }
link("client", "server")
server:fault("ism", "register", { times = 2, error = "NOMEM" })
local c, s = connect(client, server)
expect(c.mode, "SMC-D")
expect(c.rmb_bytes, 256 * 1024)
expect(s.rmb_bytes, 64 * 1024)
expect(c.peer_rmb_bytes, 64 * 1024)
expect_message { "CLC Accept", from = "server", bsize = 2 }
transfer { from = c, to = s, bytes = "1 MiB", both_ways = true }
expect(counters("server").d.rx_buffer_downgraded, 1)
