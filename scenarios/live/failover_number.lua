-- What looks like a kernel bug (A-45): the message that says which CDC was the last to arrive before a link failed names the one before
-- it, so the peer does not notice if exactly that one was lost. docs/linux.md.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Linux names the CDC before the last one after a failover",
    source = "docs/linux.md, bug 1; RFC 7609 4.6.1",
    requirements = { "FAILOVER-002" },
    targets = { "vm" },
    roles = { "client" },
}

-- The scenario fails with a kernel that names the right one.
expect_finding { id = "FAILOVER-002", by = "client", verdict = "deviation" }

host "client" { address = "10.0.0.1/24", versions = { 2 }, paths = { "R" } }
host "server" { address = "10.0.0.2/24", versions = { 2 }, paths = { "R" } }
link("client", "server", { mtu = 1500 })
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
link("client.eth1", "server.eth1", { mtu = 1500 })

local pairs_of = { { connect(client, server) } }
expect_links("server", 2)
for i = 2, 4 do pairs_of[i] = { connect(client, server) } end -- some of them on the second link
local function echo(from, to)
    for i = from, to do
        for _, p in ipairs(pairs_of) do
            local message = string.format("msg %04d", i)
            p[1]:send(message)
            expect(p[2]:receive(8), message)
            p[2]:send(message)
            expect(p[1]:receive(8), message)
        end
        wait "50 ms"
    end
end
echo(1, 5)
wait "500 ms"
server:remove "roce eth1"
echo(6, 20)
for _, p in ipairs(pairs_of) do p[1]:close() end
for _, p in ipairs(pairs_of) do
    p[2]:at_end()
    p[2]:close()
end
wait "1 s"
