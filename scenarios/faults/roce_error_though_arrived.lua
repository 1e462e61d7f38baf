-- A send is reported as failed though its data arrived: the link is given up, the connection moves, and no byte comes twice.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Error completion, data arrived",
    source = "RFC 7609 4.6; devices/roce.h ERROR_COMPLETION",
    requirements = { "FAILOVER-004", "FAILOVER-005", "FAILOVER-010" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
switch "sw"
for _, port in ipairs { "client", "server", "client.eth1", "server.eth1" } do link(port, "sw") end
server:listen(5000)

for _, profile_round in ipairs { 1, 2, 3, 4, 5, 6 } do
    local c, s = connect(client, server, 5000)
    expect_links("client", 2, { within = "30 s" })
    client:roce_fault("eth0", { "error completion", operations = profile_round % 2 == 0 and "send" or "write", first = 3 * profile_round, argument = 8 })
    transfer { from = c, to = s, bytes = "300 KiB", both_ways = true, chunk = 3000 }
    client:roce_fault("eth0")
    c:close()
    s:close()
    wait "30 s"
    for _, ifname in ipairs { "roce eth0", "roce eth1" } do -- a link that was lost comes again with its device
        client:remove(ifname)
        wait "5 s"
        client:restore(ifname)
        wait "5 s"
    end
end
