-- Eight hosts, four leaves, two spines: every host talks to the next leaf's.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Leaf and spine: connections between all leaves, by both spines",
    targets = { "sim", "ns3" },
}
local f = leaf_spine { leaves = 4, spines = 2, hosts_per_leaf = 2, rate = "10 Gbit/s", uplink = "40 Gbit/s", uplink_delay = "2 us" }
local transfers = {}
for i, h in ipairs(f.hosts) do
    local c, s = connect(h, f.hosts[(i + 1) % #f.hosts + 1])
    expect(c.mode, "SMC-R")
    transfers[i] = transfer { from = c, to = s, bytes = "256 KiB", both_ways = true, close = true, background = true }
end
for _, t in ipairs(transfers) do t:finish() end
wait_quiet()
for i, spine in ipairs(f.spines) do expect_true(spine:counters().sent > 500, "spine " .. i .. " carries its share") end
