-- Two connections on two links; the server's second interface goes down: DELETE LINK, validation, and all 25 echoes arrive.
-- SPDX-License-Identifier: BSD-3-Clause
-- capture: 6.12.107-v2-g2-failover-server-link-down.pcap from 1500 ms
scenario {
    title = "The kernel's failover, version 2",
    source = "traces/captures/6.12.107-v2-g2-failover-server-link-down.pcap",
    requirements = { "FAILOVER-002", "FAILOVER-003", "FAILOVER-005", "FAILOVER-006", "FAILOVER-010", "FAILOVER-013", "FAILOVER-019", "CDC-013", "LLC-035", "LLC-041", "LLC-050" },
    targets = { "sim", "vm", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 2 }, paths = { "R" }, ueids = { "SMCTEST-EID1" } }
host "server" { address = "10.0.0.2/24", versions = { 2 }, paths = { "R" }, ueids = { "SMCTEST-EID1" } }
link("client", "server", { mtu = 1500 })
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
link("client.eth1", "server.eth1", { mtu = 1500 })

-- A connection before: the capture begins when the link group has its two links.
local c0, s0 = connect(client, server)
wait "1 s"
c0:close()
s0:at_end()
s0:close()
wait "1 s"

local pairs_of = { { connect(client, server) } }
local function echo(n, i)
    local message = string.format("msg %04d", i)
    pairs_of[n][1]:send(message)
    expect(pairs_of[n][2]:receive(8), message)
    pairs_of[n][2]:send(message)
    expect(pairs_of[n][1]:receive(8), message)
end
local function close(n)
    pairs_of[n][1]:close()
    pairs_of[n][2]:at_end()
    pairs_of[n][2]:close()
end
for i = 0, 27 do
    if i == 3 then pairs_of[2] = { connect(client, server) } end
    if i < 25 then echo(1, i) elseif i == 25 then close(1) end
    wait "100 ms"
    if i >= 3 then echo(2, i - 3) end
    if i == 10 then
        wait "80 ms"
        server:remove "roce eth1"
    end
    wait "100 ms"
end
close(2)
wait "500 ms"
