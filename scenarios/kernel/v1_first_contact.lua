-- One device a side: the second link is offered and rejected; an echo, then the client closes first.
-- SPDX-License-Identifier: BSD-3-Clause
-- capture: 6.12.107-smclo-v1pure-a-first-contact.pcap
scenario {
    title = "The kernel's first contact, version 1",
    source = "traces/captures/6.12.107-smclo-v1pure-a-first-contact.pcap",
    requirements = { "TCPOPT-002", "TCPOPT-003", "CLC-007", "CLC-019", "CLC-030", "CLC-033", "CLC-037", "CLC-038", "CLC-050", "CLC-076", "LLC-001", "LLC-002", "LLC-005", "LLC-006", "LLC-008", "LLC-013", "LLC-014", "LLC-021", "LLC-022", "LLC-023", "LLC-024" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, paths = { "R" } }
host "server" { address = "10.0.0.2/24", versions = { 1 }, paths = { "R" } }
link("client", "server", { mtu = 1500 })

local message = "Hello SMC from client, message 1"
local c, s = connect(client, server)
expect(c.mode, "SMC-R")
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
