-- Leaf and spine of 128 hosts, 10,000 SMC-R connections that all stand at once; each sends and receives. For bench/ns3.py.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Leaf and spine: 128 hosts, 10,000 connections",
    targets = { "sim", "ns3" },
}
local CONNECTIONS, PEERS, BYTES = 10000, 8, "4 KiB"
local f = leaf_spine { leaves = 8, spines = 8, hosts_per_leaf = 16, rate = "25 Gbit/s", uplink = "100 Gbit/s", uplink_delay = "2 us",
    host = { rmb = "16 KiB", sndbuf = "16 KiB" } }
local n = #f.hosts
expect(n, 128)
local clients, servers = {}, {}
for i = 1, CONNECTIONS do
    local from = (i - 1) % n + 1
    local step = 16 * ((i - 1) // n % PEERS) + 3 -- another leaf each time
    local a, b = f.hosts[from], f.hosts[(from + step - 1) % n + 1]
    if not b.listeners[5000] then b:listen(5000) end
    clients[i] = a:connect(b, 5000)
    servers[i] = b
end
local accepted, transfers = {}, {}
for i = 1, CONNECTIONS do
    expect(clients[i]:connected { within = "120 s" }, "SMC-R")
end
-- A server accepts in the order in which handshakes ended; whoever sends says nothing of himself, so both ends get the same stream.
for i = 1, CONNECTIONS do accepted[i] = servers[i]:accept(5000, { within = "120 s" }) end
local total = 0
for i = 1, CONNECTIONS do clients[i]:send(pattern(BYTES)) end
for i = 1, CONNECTIONS do
    local got = accepted[i]:receive(BYTES, { within = "60 s" })
    total = total + #got
    accepted[i]:send(got)
end
for i = 1, CONNECTIONS do expect(clients[i]:receive(BYTES, { within = "60 s" }) == pattern(BYTES), true, "the answer") end
expect(total, CONNECTIONS * 4096)
for i = 1, CONNECTIONS do clients[i]:close() accepted[i]:close() end
wait_quiet()
