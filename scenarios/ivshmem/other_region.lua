-- Two machines with regions of the same CHID: the GIDs tell that the peer is elsewhere; SMC-R, or a Decline where there is none.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A guest of another region is not reached",
    source = "seed 001 (own finding)",
    requirements = { "IVSHMEM-011", "SMCD-025", "DIBS-015" },
    targets = { "sim", "ns3" },
}

host "here" { address = "10.0.0.1/24", machine = "one", devices = { "ivshmem" } }
host "there" { address = "10.0.0.2/24", machine = "two", devices = { "ivshmem" } }
host "only" { address = "10.0.0.3/24", machine = "three", roce = false, devices = { "ivshmem" } }
switch "sw"
for _, h in ipairs { here, there, only } do link(h, "sw") end
local c, s = connect(here, there)
expect(c.mode, "SMC-R")
transfer { from = c, to = s, bytes = "50 KiB", both_ways = true }
c, s = connect(here, only)
expect(c.mode, "TCP")
expect(c.peer_diagnosis, 0x03030007)
