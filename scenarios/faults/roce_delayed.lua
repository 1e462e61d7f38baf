-- Completions come late, and the device holds its queues back: everything takes longer, and comes.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Late completions, held queues",
    source = "devices/roce.h DELAY_COMPLETION, HOLD_QP",
    requirements = { "CDC-018", "LLC-073" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")

local c, s = connect(client, server)
client:roce_fault("eth0", { "delay completion", every = 3, times = 0, argument = "200 us" })
server:roce_fault("eth0", { "hold qp", every = 7, times = 50, argument = "1 ms" })
transfer { from = c, to = s, bytes = "300 KiB", both_ways = true, chunk = 4000 }
local c2, s2 = connect(client, server)
transfer { from = c2, to = s2, bytes = "50 KiB", both_ways = true }
