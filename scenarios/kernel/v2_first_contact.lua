-- One device a side: the second link is offered and rejected; an echo, then the client closes first.
-- SPDX-License-Identifier: BSD-3-Clause
-- capture: 6.12.107-v2-a-first-contact.pcap
scenario {
    title = "The kernel's first contact, version 2",
    source = "traces/captures/6.12.107-v2-a-first-contact.pcap",
    requirements = { "TCPOPT-007", "CLC-004", "CLC-058", "CLC-060", "CLC-064", "CLC-066", "CLC-067", "CLC-068", "LLC-068", "LLC-069", "LLC-071", "LLC-074", "LLC-081", "LLC-082", "ROCE-008", "ROCE-010" },
    targets = { "sim", "vm", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 2 }, paths = { "R" }, ueids = { "SMCTEST-EID1" } }
host "server" { address = "10.0.0.2/24", versions = { 2 }, paths = { "R" }, ueids = { "SMCTEST-EID1" } }
link("client", "server", { mtu = 1500 })

local message = "Hello SMC from client, message 1"
local c, s = connect(client, server)
c:send(message)
expect(s:receive(32), message)
s:send(message)
expect(c:receive(32), message)
c:close()
s:at_end()
s:close()
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
wait "500 ms"
