-- Hosts with nothing but loopbacks, on two machines: Decline 0x03030007, then TCP.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A container of another machine is declined when there is no SMC-R",
    source = "dibs drivers/dibs/dibs_loopback.c",
    requirements = { "DIBS-015", "CLC-055" },
    targets = { "sim", "ns3" },
}

host "near" { address = "10.0.0.1/24", machine = "one", roce = false, devices = { "loopback" } }
host "far" { address = "10.0.0.2/24", machine = "two", roce = false, devices = { "loopback" } }
link("near", "far")
local c, s = connect(near, far)
expect(c.mode, "TCP")
expect(c.peer_diagnosis, 0x03030007)
expect(s.fallback, 0x03030007)
expect_message { "CLC Proposal", from = "near", typev2 = 1 }
expect_message { "CLC Decline", from = "far", diagnosis = 0x03030007 }
transfer { from = c, to = s, bytes = "100 KiB", both_ways = true }
expect_groups("near", 0)
expect_groups("far", 0)
