-- The second cable goes and comes five times. Each time the link has another number.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Link numbers are not used again soon",
    source = "RFC 7609 2.2.4",
    requirements = { "LLC-019", "LLC-020" },
    targets = { "sim", "ns3", "vm" },
    roles = { "server" }, -- a Linux client rejects the offer that crosses its request for it: docs/linux.md
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
link("client", "server")
local second_cable = link("client.eth1", "server.eth1")

local c, s = connect(client, server)
expect_links("client", 2)
local used = { [1] = true, [2] = true }
for round = 1, 5 do
    second_cable:down()
    expect_links("server", 1)
    expect_links("client", 1)
    wait "1 s"
    second_cable:up()
    expect_links("server", 2, { within = "30 s" })
    for _, l in ipairs(group("server").links) do
        if l.number ~= 1 then
            expect_true(not used[l.number], "link number " .. l.number .. " was used before")
            used[l.number] = true
        end
    end
end
c:send("x")
expect(s:receive(1), "x")
wait "1 s"
