-- The client's events are held back and doubled while three peers leave and one comes back; then its own device goes with events pending.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Events that come late, twice, and after the device left",
    source = "linux net/smc/smc_ism.c",
    requirements = { "SMCD-029", "DIBS-003", "DIBS-007" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { "ism" } }
switch "sw"
link("client", "sw")
local peers = {}
for i = 1, 3 do
    peers[i] = host("peer" .. i) { address = "10.0.0." .. 10 + i .. "/24", machine = "m", devices = { "ism" } }
    link("peer" .. i, "sw")
end
local ends = {}
for i, p in ipairs(peers) do
    ends[i] = connect(client, p)
    expect(ends[i].mode, "SMC-D")
end
client:fault("ism", "signals", { hold = "10 ms", copies = 3 })
peers[1]:remove "ism"
peers[2]:remove "ism"
expect_error(ends[1], "RESET")
expect_error(ends[2], "RESET")
expect(ends[3].state, "ACTIVE")
wait "30 ms" -- all events have come
peers[1]:restore "ism"
local c, s = connect(client, peers[1])
expect(c.mode, "SMC-D")
wait "20 ms"
expect(c.state, "ACTIVE")
transfer { from = c, to = s, bytes = "50 KiB", both_ways = true }
client:fault("ism", "signals", { hold = "10 ms", copies = 3 })
peers[3]:remove "ism"
client:remove "ism"
wait "50 ms"
expect_error(ends[3], "RESET")
expect_groups("client", 0)
client:restore "ism"
c, s = connect(client, peers[1])
expect(c.mode, "SMC-D")
transfer { from = c, to = s, bytes = "50 KiB", both_ways = true }
