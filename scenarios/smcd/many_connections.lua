-- Forty connections between two hosts: one group, forty DMBs with indexes of their own, forty patterns at one time.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Many connections in one group keep their bytes apart",
    source = "linux net/smc/smc_core.c",
    requirements = { "SMCD-011", "DIBS-009" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { "ism" }, rmb = "16 KiB" }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { "ism" }, rmb = "16 KiB" }
link("client", "server")
local moving, pairs_of = {}, {}
for i = 1, 40 do
    local c, s = connect(client, server)
    expect(c.mode, "SMC-D")
    pairs_of[i] = { c, s }
end
expect_groups("client", 1)
expect_groups("server", 1)
expect(group("client").connections, 40)
local indexes = {}
for _, m in ipairs(messages { "SMC-D register", from = "server" }) do
    expect(indexes[m.index], nil, "an index is used twice")
    expect_true(m.index >= 32 and m.index < 1920, "an index out of range")
    indexes[m.index] = true
end
for i, p in ipairs(pairs_of) do moving[i] = transfer { from = p[1], to = p[2], bytes = 20000 + i * 100, both_ways = true, background = true } end
for _, t in ipairs(moving) do t:finish() end
