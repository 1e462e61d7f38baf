-- Its alive counter stands still: the connections with it end, its DMBs are free again, other guests go on and a new one may come.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A guest is killed",
    source = "seed 001 (own finding)",
    requirements = { "IVSHMEM-013", "IVSHMEM-005" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { "ivshmem" } }
host "dies" { address = "10.0.0.2/24", machine = "m", devices = { "ivshmem" } }
host "stays" { address = "10.0.0.3/24", machine = "m", devices = { "ivshmem" } }
switch "sw"
for _, h in ipairs { client, dies, stays } do link(h, "sw") end
local c1, s1 = connect(client, dies)
local c2, s2 = connect(client, stays)
transfer { from = c1, to = s1, bytes = "100 KiB", both_ways = true }
local died = now()
dies:kill()
expect_error(c1, "RESET", { within = "10 s" })
expect_true(now() - died < 3 * 1000000000, "it took more than three seconds")
transfer { from = c2, to = s2, bytes = "200 KiB", both_ways = true }
host "comes" { address = "10.0.0.4/24", machine = "m", devices = { "ivshmem" } }
link(comes, "sw")
local c3, s3 = connect(client, comes)
expect(c3.mode, "SMC-D")
transfer { from = c3, to = s3, bytes = "200 KiB", both_ways = true }
