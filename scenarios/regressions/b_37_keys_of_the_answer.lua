-- B-37: the server takes the client's keys from the answer to ADD LINK while it still has it.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-37: the keys of an ADD LINK response are those that came",
    source = "linux a42a459ef0e5",
    requirements = { "LLC-088", "LLC-032" },
    targets = { "sim", "ns3" }, -- a Linux client rejects the offer that crosses its own request: docs/linux.md
}

host "client" { address = "10.0.0.1/24", versions = { 2 } }
host "server" { address = "10.0.0.2/24", versions = { 2 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
local l0 = link("client", "server")
local l1 = link("client.eth1", "server.eth1")
server:listen(5000)

-- Several buffers before the second link comes, so that the answer names several keys.
l1:down()
local ends = {}
for i = 1, 5 do
    local c = client:connect(server, 5000)
    ends[i] = { c, server:accept(5000) }
    c:connected()
end
server:remove "roce eth1"
l1:up()
server:restore "roce eth1"
expect_links("server", 2, { within = "30 s" })
wait "1 s"
l0:down()
expect_links("server", 1, { within = "30 s" })
for i = 1, 5 do transfer { from = ends[i][1], to = ends[i][2], bytes = "50 KiB", both_ways = true } end
