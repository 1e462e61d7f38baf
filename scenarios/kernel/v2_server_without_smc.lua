-- The option is in the SYN alone: no CLC, the bytes go over TCP.
-- SPDX-License-Identifier: BSD-3-Clause
-- capture: 6.12.107-v2-f1-server-plain-tcp.pcap
scenario {
    title = "The kernel against a plain TCP server, version 2",
    source = "traces/captures/6.12.107-v2-f1-server-plain-tcp.pcap",
    requirements = { "TCPOPT-001", "TCPOPT-005" },
    targets = { "sim", "vm", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 2 }, paths = { "R" }, ueids = { "SMCTEST-EID1" } }
host "server" { address = "10.0.0.2/24", versions = { 2 }, paths = { "R" }, ueids = { "SMCTEST-EID1" }, smc = false }
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
