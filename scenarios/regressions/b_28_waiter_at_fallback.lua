-- B-28: whoever waits for the connection is woken when it falls back to TCP, at whatever moment and for whatever reason.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-28: the end of the wait is told at every fallback",
    source = "linux 2153bd1e3d3d",
    requirements = { "CLC-010" },
    targets = { "sim", "ns3", "vm" },
    roles = { "server" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24", roce = false }
host "plain" { address = "10.0.0.3/24", smc = false }
switch "sw"
for _, h in ipairs { "client", "server", "plain" } do link(h, "sw") end

for _, peer in ipairs { server, plain } do
    peer:listen(5000)
    local c = client:connect(peer, 5000)
    expect(c:connected { within = "10 ms" }, "TCP")
    local s = peer:accept(5000, { within = "10 ms" })
    -- Both directions, by whoever sleeps until something can be read.
    transfer { from = c, to = s, bytes = "100 KiB", both_ways = true, within = "1 s" }
end
