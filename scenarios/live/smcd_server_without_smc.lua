-- The server does not know SMC: no CLC, plain TCP.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A container without SMC",
    source = "RFC 7609 3.2; SMC-Dv2",
    requirements = { "TCPOPT-005" },
    targets = { "sim", "ns3", "vm" },
    roles = { "both" },
}

host "client" { address = "10.0.0.1/24", machine = "m", versions = { 2 }, paths = { "D" }, roce = false, devices = { "loopback" }, ueids = { "SMCTEST-EID1" } }
host "server" { address = "10.0.0.2/24", machine = "m", smc = false }
link("client", "server", { mtu = 1500 })

local message = "Hello SMC from client, message 1"
local c, s = connect(client, server)
c:send(message)
expect(s:receive(32), message)
expect(c.mode, "TCP")
expect(s.mode, "TCP")
expect(count_messages { "CLC Proposal" }, 0)
c:close()
s:at_end()
s:close()
wait "500 ms"
