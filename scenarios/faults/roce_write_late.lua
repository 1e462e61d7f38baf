-- Written data become visible only when the next message arrives: the CDC that announces them is that message.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "RDMA WRITEs that are visible late",
    source = "RFC 7609 4.3; devices/roce.h LATE_WRITE",
    requirements = { "CDC-007", "ROCE-004" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")

local c, s = connect(client, server)
server:roce_fault("eth0", { "late write", every = 1, times = 0 })
client:roce_fault("eth0", { "late write", every = 3, times = 0 })
transfer { from = c, to = s, bytes = "500 KiB", both_ways = true, chunk = 7000, read_chunk = 5000 }
c:close()
s:close()
expect_state(c, "CLOSED")
