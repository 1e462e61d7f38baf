-- The server's ISM function is taken out in the middle of a transfer: the connection ends with an error, new ones take SMC-R, and
-- SMC-D again when the device is back.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A device leaves under traffic and comes back",
    source = "dibs include/linux/dibs.h",
    requirements = { "DIBS-001", "DIBS-002", "DIBS-003", "DIBS-020", "DIBS-024" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { "ism" } }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { "ism" } }
link("client", "server")
local c, s = connect(client, server)
expect(c.mode, "SMC-D")
local moving = transfer { from = c, to = s, bytes = "16 MiB", background = true, write_delay = "10 us" }
wait "1 ms"
expect_true(moving:received() > 0 and moving:received() < 16 << 20, "the device must leave in the middle")
server:remove "ism"
wait "10 ms"
expect_error(s, "RESET")
expect_error(c, "RESET")
c:close()
s:close()
expect_groups("server", 0)
expect_groups("client", 0)
local c2, s2 = connect(client, server)
expect(c2.mode, "SMC-R")
transfer { from = c2, to = s2, bytes = "200 KiB", both_ways = true }
server:restore "ism"
local c3, s3 = connect(client, server)
expect(c3.mode, "SMC-D")
transfer { from = c3, to = s3, bytes = "200 KiB", both_ways = true }
