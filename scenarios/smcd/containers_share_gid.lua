-- All containers of a machine have the loopback's one GID. A second client of a server is a first contact all the same, and takes
-- nothing away from the first one's group; a second connection of the same pair joins its group.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Three containers on one loopback: each pair has its own group",
    source = "dibs drivers/dibs/dibs_loopback.c; linux net/smc/smc_core.c",
    requirements = { "SMCD-017", "SMCD-023", "CLC-063" },
    targets = { "sim", "ns3" },
}

for i, name in ipairs { "one", "two", "server" } do
    host(name) { address = "10.0.0." .. i .. "/24", machine = "m", roce = false, devices = { "loopback" } }
end
switch "sw"
for _, h in ipairs { one, two, server } do link(h, "sw") end
local c1, s1 = connect(one, server)
expect_message { "CLC Accept", from = "server", first_contact = true }
local moving = transfer { from = c1, to = s1, bytes = "4 MiB", both_ways = true, background = true, write_delay = "20 us" }
local c2, s2 = connect(two, server)
expect_message { "CLC Accept", from = "server", first_contact = true }
expect(c2.mode, "SMC-D")
local c3, s3 = connect(one, server)
expect_message { "CLC Accept", from = "server", first_contact = false }
local c4, s4 = connect(two, one)
for _, p in ipairs { { c2, s2 }, { c3, s3 }, { c4, s4 } } do
    expect(p[1].mode, "SMC-D")
    transfer { from = p[1], to = p[2], bytes = "100 KiB", both_ways = true }
end
expect(c3.group, c1.group)
expect_groups("server", 2)
expect_groups("one", 2)
expect_groups("two", 2)
moving:finish()
expect(count_messages { "CLC Decline" }, 0)
