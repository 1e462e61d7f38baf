-- Seven hosts send to one at once, through a switch with priority flow control and small queues.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Incast in a lossless class drops nothing, whoever carries the frames",
    targets = { "sim", "ns3" },
}
local n = star { hosts = 8, rate = "10 Gbit/s", queue = "64 KiB", pfc = { lossless = { 3 }, xoff = "40 KiB", xon = "20 KiB", headroom = "64 KiB" },
    host = { dscp = 24 } }
local transfers = {}
for i = 2, 8 do
    local c, s = connect(n.hosts[i], n.hosts[1], 5000 + i)
    transfers[i - 1] = transfer { from = c, to = s, bytes = "512 KiB", close = true, background = true }
end
for _, t in ipairs(transfers) do t:finish() end
wait_quiet()
local seen = n.switch:counters()
expect(seen.queue_drops, 0, "frames dropped")
expect_true(seen.pause_sent > 0, "the switch stops senders")
