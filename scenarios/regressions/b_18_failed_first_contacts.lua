-- B-18: first contacts that fail, one beside the other, and one that does not: each group leaves the list once.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-18: a first contact fails while others run",
    source = "net/smc: fix wrong list_del in smc_lgr_cleanup_early",
    requirements = { "CLC-043" },
    targets = { "sim", "ns3" },
    hostile = true,
}

for i = 1, 4 do host("client" .. i) { address = "10.0.0." .. i .. "/24" } end
host "server" { address = "10.0.0.9/24" }
switch "sw"
for i = 1, 4 do link("client" .. i, "sw") end
link("server", "sw")
server:listen(5000)
local clients = { client1, client2, client3, client4 }

for round = 1, 8 do
    local sockets = {}
    -- The Confirm of some never comes, and the server's group dies; the others' go on at the same time.
    for i = 1, 4 do
        if (round + i) % 2 == 0 then clients[i]:edit { "CLC Confirm", bytes = function(b) return b:sub(1, 45) .. "\0" .. b:sub(47) end } end
        sockets[i] = clients[i]:connect(server, 5000)
    end
    for i = 1, 4 do
        sockets[i]:connected()
        expect(sockets[i].mode == "SMC-R", (round + i) % 2 ~= 0)
    end
    for _ = 1, 4 do server:accept(5000):close() end
    for i = 1, 4 do sockets[i]:close() end
    wait "700 s"
    expect_groups("server", 0)
end
expect_finding { id = "CLC-037" }
