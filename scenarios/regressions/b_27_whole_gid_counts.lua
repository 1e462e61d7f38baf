-- B-27: peers whose GIDs share their first 64 bits, or the VLAN, are different peers.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-27: a group is found by all of the GID, and by the VLAN",
    source = "linux c3dfcdb65ec1",
    requirements = { "SMCD-011", "SMCD-012" },
    targets = { "sim", "ns3" },
}

-- Functions of one ivshmem: the first half of all their GIDs is the host's.
for _, name in ipairs { "client", "server", "other" } do
    host(name) { address = "10.0.0." .. #name + (name == "other" and 10 or name == "server" and 20 or 30) .. "/24", machine = "m", devices = { "ivshmem" } }
end
switch "sw"
for _, h in ipairs { "client", "server", "other" } do link(h, "sw") end
local c1, s1 = connect(client, server)
local c2, s2 = connect(client, other)
local c3, s3 = connect(client, server)
expect(c1.mode, "SMC-D")
expect(c2.mode, "SMC-D")
expect(c3.group, c1.group)
expect_true(c2.group ~= c1.group, "two peers share a group")
expect_groups("client", 2)
-- The server has two peers of the same half, too.
local c4, s4 = connect(other, server, 5001)
expect(c4.mode, "SMC-D")
expect_true(s4.group ~= s1.group, "two clients share a group")
for _, pair in ipairs { { c1, s1 }, { c2, s2 }, { c3, s3 }, { c4, s4 } } do transfer { from = pair[1], to = pair[2], bytes = "50 KiB", both_ways = true } end
