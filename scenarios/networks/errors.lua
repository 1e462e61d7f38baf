-- Frames are lost by an error model of ns-3 (one in a hundred, in bursts) and by the fault plan of the link (the plain simulation).
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Frames lost at random: RoCE and TCP send them again",
    targets = { "sim", "ns3" },
}
host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
local l = link(client, server, { rate = "10 Gbit/s", ns3 = { error = { "ns3::BurstErrorModel", ErrorRate = 0.005 } } })
local c, s = connect(client, server)
l:loss("2000 ppm")
transfer { from = c, to = s, bytes = "4 MiB", close = true }
wait_quiet()
expect_true(l:counters(client).fault_drops > 0, "frames are lost")
