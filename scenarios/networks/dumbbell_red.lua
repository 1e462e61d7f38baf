-- Two pairs share a bottleneck. On ns-3 its queue is RED that marks instead of dropping; on the plain simulation it is drop tail.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A bottleneck with RED and ECN (ns-3): both transfers end, byte for byte",
    targets = { "sim", "ns3" },
}
local red = { queue = "ns3::RedQueueDisc", UseEcn = true, UseHardDrop = false, MaxSize = "1000p", MinTh = 20, MaxTh = 60 }
local d = dumbbell { left = 2, right = 2, rate = "10 Gbit/s", bottleneck = "1 Gbit/s", trunk = { ns3 = red } }
local transfers = {}
for i = 1, 2 do
    local c, s = connect(d.left[i], d.right[i])
    expect(c.mode, "SMC-R")
    transfers[i] = transfer { from = c, to = s, bytes = "2 MiB", close = true, background = true }
end
for i = 1, 2 do transfers[i]:finish() end
wait_quiet()
