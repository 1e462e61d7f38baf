-- Each message of the handshake is lost once, doubled, or late: TCP and the NIC repeat it, and it counts once.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Each message lost, doubled, late",
    source = "RFC 7609 3.5",
    requirements = { "LLC-064", "CLC-006" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
local l0 = link("client", "server")
local l1 = link("client.eth1", "server.eth1")
server:listen(5000)

for _, name in ipairs { "CLC Proposal", "CLC Accept", "CLC Confirm", "CONFIRM LINK", "ADD LINK", "CONFIRM RKEY", "CDC", "RDMA WRITE", "RoCE ACK", "TCP FIN" } do
    for _, action in ipairs { "drop", "copy", "delay" } do
        for _, l in ipairs { l0, l1 } do l[action](l, { name, by = "30 ms", count = 2 }) end
        local c, s = connect(client, server, 5000, { within = "60 s" })
        expect(c.mode, "SMC-R")
        transfer { from = c, to = s, bytes = "20 KiB", both_ways = true }
        c:close()
        s:close()
        expect_state(c, "CLOSED", { within = "60 s" })
        for _, l in ipairs { l0, l1 } do l:clear() end
    end
end
