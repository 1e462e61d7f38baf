-- Under traffic: both ends see a reset; afterwards SMC-R, and SMC-D again when it is back.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The device is taken out and put back",
    source = "seed 001 (own finding)",
    requirements = { "DIBS-001", "DIBS-002", "IVSHMEM-005" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { "ivshmem" } }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { "ivshmem" } }
link("client", "server")
local c, s = connect(client, server)
transfer { from = c, to = s, bytes = "8 MiB", background = true, write_delay = "10 us" }
wait "1 ms"
client:remove "ivshmem"
expect_error(c, "RESET")
expect_error(s, "RESET", { within = "5 s" })
c:close()
s:close()
local c2, s2 = connect(client, server)
expect(c2.mode, "SMC-R")
client:restore "ivshmem"
local c3, s3 = connect(client, server)
expect(c3.mode, "SMC-D")
transfer { from = c3, to = s3, bytes = "200 KiB", both_ways = true }
