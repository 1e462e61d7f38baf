-- Two containers share the machine's loopback; a third host has one of its own, with the same CHID: it is not reached over it.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Containers of one machine, and another machine",
    source = "dibs drivers/dibs/dibs_loopback.c",
    requirements = { "CLC-071", "SMCD-023", "DIBS-015", "SMCD-025" },
    targets = { "sim", "ns3" },
}

host "front" { address = "10.0.0.1/24", machine = "one", devices = { "loopback" } }
host "back" { address = "10.0.0.2/24", machine = "one", devices = { "loopback" } }
host "far" { address = "10.0.0.3/24", machine = "two", devices = { "loopback" } }
switch "sw"
for _, h in ipairs { front, back, far } do link(h, "sw") end
local c, s = connect(front, back)
expect(c.mode, "SMC-D")
local c2, s2 = connect(front, far)
expect(c2.mode, "SMC-R", "the same fabric id says nothing about reachability")
local c3, s3 = connect(far, back)
expect(c3.mode, "SMC-R")
for _, pair in ipairs { { c, s }, { c2, s2 }, { c3, s3 } } do transfer { from = pair[1], to = pair[2], bytes = "150 KiB", both_ways = true } end
expect(counters("front").d.connections_v2, 1)
expect(counters("far").d.connections_v2, 0)
