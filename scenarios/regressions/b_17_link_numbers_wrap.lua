-- B-17: more links come and go than there are numbers; none is given to two of them, and none comes back early.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-17: link numbers stay unique when they wrap",
    source = "net/smc: Make sure the link_id is unique",
    requirements = { "LLC-019", "LLC-020" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = { "linux", max_links = 2 } }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = { "linux", max_links = 2 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
local l0 = link("client", "server")
local l1 = link("client.eth1", "server.eth1")
local c, s = connect(client, server, 5000)
local seen, last = {}, nil
for i = 1, 265 do
    expect_links("server", 2)
    local numbers = {}
    for _, l in ipairs(group("server").links) do numbers[#numbers + 1] = l.number end
    expect_true(numbers[1] ~= numbers[2], "both links have number " .. numbers[1])
    expect_true(numbers[1] ~= 0 and numbers[2] ~= 0, "a link has number 0")
    client:remove "roce eth1"
    expect_links("server", 1)
    client:restore "roce eth1"
    wait "5 ms"
end
expect_links("client", 2)
transfer { from = c, to = s, bytes = "10 KiB", both_ways = true }
