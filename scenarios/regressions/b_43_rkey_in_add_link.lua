-- B-43: a second connection needs a key confirmed while the server adds a link: it is told to try again, and does.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-43: no CONFIRM RKEY is served during ADD LINK",
    source = "CVE-2023-54237",
    requirements = { "LLC-043", "LLC-047", "LLC-052" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = "rfc" }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = "rfc" }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
local l0 = link("client", "server")
local l1 = link("client.eth1", "server.eth1")
server:listen(5000)

local c1, s1 = connect(client, server, 5000)
expect_links("client", 2)
for round = 1, 4 do
    server:remove "roce eth1"
    expect_links("client", 1, { within = "20 s" })
    skip_messages()
    -- The offer of the next link is on its way when the client asks for a key.
    local sizes = { "16 KiB", "32 KiB", "128 KiB", "256 KiB" }
    l0:delay { "ADD LINK", from = "server", by = "20 us", response = false }
    server:restore "roce eth1"
    local c = client:connect(server, 5000, { rmb = sizes[round] })
    local s = server:accept(5000)
    c:connected()
    transfer { from = c, to = s, bytes = "30 KiB", both_ways = true }
    expect_links("client", 2, { within = "20 s" })
    wait "1 s"
end
