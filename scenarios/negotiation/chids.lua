-- Two functions a host. Unequal CHIDs are not tried; of equal ones the device says whether the GID is reached; the next pair is taken.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "CHIDs: equal is needed, and is not enough",
    source = "linux net/smc/smc_ism.c",
    requirements = { "CLC-078", "SMCD-024", "SMCD-025", "DIBS-015", "DIBS-016" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", versions = { 2 }, roce = false, devices = { { "ism", name = "a", chid = 0x0701 }, { "ism", name = "b", chid = 0x0702 } } }
host "server" { address = "10.0.0.2/24", machine = "m", versions = { 2 }, roce = false, devices = { { "ism", name = "a", chid = 0x0703 }, { "ism", name = "b", chid = 0x0702 } } }
host "elsewhere" { address = "10.0.0.3/24", machine = "x", versions = { 2 }, roce = false, devices = { { "ism", name = "a", chid = 0x0701 } } }
host "unlike" { address = "10.0.0.4/24", machine = "m", versions = { 2 }, roce = false, devices = { { "ism", name = "a", chid = 0x0704 } } }
switch "sw"
for _, h in ipairs { client, server, elsewhere, unlike } do link(h, "sw") end
local c, s = connect(client, server)
expect(c.mode, "SMC-D")
local p = expect_message { "CLC Proposal", from = "client" }
expect(p.gid_count, 2)
expect_message { "CLC Accept", from = "server", chid = 0x0702 }
transfer { from = c, to = s, bytes = "50 KiB", both_ways = true }
for _, other in ipairs { elsewhere, unlike } do
    c, s = connect(client, other)
    expect(c.mode, "TCP", other.name)
    expect(s.fallback, 0x03030007, other.name)
end
