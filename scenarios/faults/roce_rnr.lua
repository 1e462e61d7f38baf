-- The receiver is not ready, now and then and for a while: sends are repeated until it is.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Receiver not ready",
    source = "devices/roce.h RNR",
    requirements = { "ROCE-005", "ROCE-006" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")

server:roce_fault("eth0", { "rnr", every = 4, times = 0 })
client:roce_fault("eth0", { "rnr", every = 5, times = 0 })
local c, s = connect(client, server)
transfer { from = c, to = s, bytes = "200 KiB", both_ways = true, chunk = 2000 }
c, s = connect(client, server)
server:roce_fault("eth0", { "rnr", every = 1, times = 2000 }) -- for a quarter of a second
c:send("late")
expect(s:receive(4), "late")
