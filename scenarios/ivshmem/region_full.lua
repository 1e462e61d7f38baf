-- Connections of 1 MiB until the region is full: smaller DMBs first, then Decline and TCP; a closed connection makes room.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The region has no room for another DMB",
    source = "seed 001 (own finding)",
    requirements = { "IVSHMEM-010", "SMCD-016", "SMCD-031" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", roce = false, devices = { "ivshmem" }, rmb = "1 MiB", sndbuf = "16 KiB" }
host "server" { address = "10.0.0.2/24", machine = "m", roce = false, devices = { "ivshmem" }, rmb = "1 MiB", sndbuf = "16 KiB" }
link("client", "server")
local open, smaller, n = {}, 0, 0
repeat
    n = n + 1
    local c, s = connect(client, server)
    open[n] = { c, s }
    if c.mode == "SMC-D" and (c.rmb_bytes < 1 << 20 or s.rmb_bytes < 1 << 20) then smaller = smaller + 1 end
until c.mode == "TCP" or n > 400
expect(open[n][1].mode, "TCP")
expect_true(smaller > 0, "no smaller DMB was tried")
local code = open[n][1].fallback == 0x05000000 and open[n][1].peer_diagnosis or open[n][1].fallback
expect(code, 0x030d0000)
transfer { from = open[n][1], to = open[n][2], bytes = "50 KiB", both_ways = true }
transfer { from = open[1][1], to = open[1][2], bytes = "50 KiB", both_ways = true }
transfer { from = open[n - 1][1], to = open[n - 1][2], bytes = "50 KiB", both_ways = true }
for i = 1, 10 do
    open[i][1]:close()
    open[i][2]:close()
end
wait "1 s"
local c, s = connect(client, server)
expect(c.mode, "SMC-D")
