-- B-44: a port comes up in the moment in which groups come and go.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-44: port up while groups end",
    source = "CVE-2023-54318",
    requirements = { "LLC-026" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", profile = { "linux", group_idle_server_ns = "1 ms", group_idle_client_ns = "1 ms" } }
host "server" { address = "10.0.0.2/24", profile = { "linux", group_idle_server_ns = "1 ms", group_idle_client_ns = "1 ms" } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
local l0 = link("client", "server")
local l1 = link("client.eth1", "server.eth1")
server:listen(5000)

for us = 0, 60, 4 do
    local c, s = connect(client, server, 5000)
    l1:down()
    server:remove "roce eth1"
    wait "10 us"
    c:close()
    s:close()
    wait(us * 20000)
    l1:up()
    server:restore "roce eth1"
    wait "3 s"
    expect_groups("client", 0)
    expect_groups("server", 0)
end
local c, s = connect(client, server, 5000)
expect_links("client", 2)
transfer { from = c, to = s, bytes = "20 KiB", both_ways = true }
