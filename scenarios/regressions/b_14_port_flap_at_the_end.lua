-- B-14: a port fails and comes back just before the last connection ends: nothing that was put off outlives the group.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-14: work that was put off does not outlive its group",
    source = "CVE-2024-56718",
    requirements = { "LLC-067", "FAILOVER-001" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = { "rfc", second_link_retry_ns = "1 s", group_idle_server_ns = "500 ms", group_idle_client_ns = "600 ms", close_guard_ns = "1 s" } }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = { "rfc", second_link_retry_ns = "1 s", group_idle_server_ns = "500 ms", group_idle_client_ns = "600 ms", close_guard_ns = "1 s" } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
local l0 = link("client", "server")
local l1 = link("client.eth1", "server.eth1")
server:listen(5000)

for ms = 0, 30, 3 do
    local c, s = connect(client, server, 5000)
    expect_links("client", 2)
    l1:down()
    c:close()
    wait(ms * 1000000)
    l1:up()
    s:close()
    expect_groups("client", 0, { within = "20 s" })
    expect_groups("server", 0, { within = "20 s" })
    wait "5 s"
end
local c, s = connect(client, server, 5000)
transfer { from = c, to = s, bytes = "10 KiB", both_ways = true }
