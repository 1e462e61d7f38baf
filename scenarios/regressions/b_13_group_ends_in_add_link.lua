-- B-13, B-43: the group ends while a second link is being added to it.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-13: a group that ends in the middle of ADD LINK",
    source = "CVE-2024-56640",
    requirements = { "LLC-025", "LLC-034" },
    targets = { "sim", "ns3" },
    roles = { "server" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
local l0 = link("client", "server")
local l1 = link("client.eth1", "server.eth1")
server:listen(5000)
-- One host swallows its own messages.
expect_finding { id = "LLC-021", by = "server" }

-- Where the exchange stops: nobody answers any more from here on, and the first link dies under it.
for _, at in ipairs { "ADD LINK", "CONFIRM LINK" } do
    for _, who in ipairs { client, server } do
        for _, how in ipairs { "roce eth0", "close" } do
            who:edit { at, drop = true, nth = at == "CONFIRM LINK" and 2 or 1 }
            local c = client:connect(server, 5000)
            wait "5 ms"
            if how == "close" then c:close() else
                client:remove(how)
                server:remove(how)
            end
            wait "20 s"
            local s = server:try_accept(5000)
            if s then s:close() end
            c:close()
            client:restore "roce eth0"
            server:restore "roce eth0"
            client:edit { "CDC", nth = 1000000 } -- keeps the hook
            wait "700 s"
            expect_groups("client", 0)
            expect_groups("server", 0)
        end
    end
end
local c, s = connect(client, server, 5000)
expect_links("client", 2)
transfer { from = c, to = s, bytes = "10 KiB", both_ways = true }
