-- The server's processor is busy, so what its RNIC has received and acknowledged waits for it when the RNIC is taken out. It counts all
-- the same: the client will not say it again on the other link.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The RNIC leaves with completions that nobody has looked at",
    source = "RFC 7609 4.6, C.7",
    requirements = { "FAILOVER-009", "FAILOVER-014" },
    targets = { "sim" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 }, cpu = costs(100) }
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
link("client", "server")
link("client.eth1", "server.eth1")

local c, s = connect(client, server)
expect_links("server", 2)
expect_links("client", 2)
for round = 1, 20 do
    local nic = round % 2 == 1 and "roce eth0" or "roce eth1"
    c:send("0123456789")
    wait(1000 + round * 250)
    server:remove(nic)
    expect(s:receive(10), "0123456789")
    wait "100 ms"
    server:restore(nic)
    expect_links("server", 2)
    expect_links("client", 2)
    wait "100 ms"
end
wait "1 s"
