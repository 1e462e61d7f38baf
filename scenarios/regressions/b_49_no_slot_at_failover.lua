-- B-49: more connections move to another link than it has slots for their validations: those without one wait, and go on.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-49: failover of more connections than there are send slots",
    source = "linux 719296c4aa82",
    requirements = { "FAILOVER-002", "FAILOVER-009" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", sndbuf = "16 KiB", rmb = "16 KiB" }
host "server" { address = "10.0.0.2/24", sndbuf = "16 KiB", rmb = "16 KiB" }
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
local l0 = link("client", "server")
local l1 = link("client.eth1", "server.eth1")
server:listen(5000)

local all = {}
for i = 1, 40 do
    local c, s = connect(client, server, 5000)
    all[i] = { c, s }
end
expect_links("client", 2)
local moves = {}
for i = 1, 40 do moves[i] = transfer { from = all[i][1], to = all[i][2], bytes = "100 KiB", both_ways = true, background = true, chunk = 2000 } end
wait "300 us"
l0:down()
for i = 1, 40 do moves[i]:finish() end
expect_links("client", 1)
expect_true(counters("client").failovers >= 1, "nothing moved")
