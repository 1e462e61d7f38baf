-- Every other connection is plain TCP; the group with the SMC server goes on.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A load balancer before an SMC server and a plain one",
    source = "RFC 7609 3.1",
    requirements = { "TCPOPT-005" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24" }
host "server1" { address = "10.0.0.11/24" }
host "server2" { address = "10.0.0.12/24", smc = false }
switch "sw"
local _, _, box = middlebox("client", "sw", "balance")
link("server1", "sw")
link("server2", "sw")
balance(box, "10.0.0.100", { server1, server2 })
server1:listen(5000)
server2:listen(5000)
for n = 1, 4 do
    local c = client:connect("10.0.0.100", 5000)
    local s = (n % 2 == 1 and server1 or server2):accept(5000)
    expect(c:connected(), n % 2 == 1 and "SMC-R" or "TCP", "connection " .. n)
    transfer { from = c, to = s, bytes = "30 KiB", both_ways = true }
end
expect_groups("client", 1)
