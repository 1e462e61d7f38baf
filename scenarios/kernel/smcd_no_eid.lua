-- No user EID and no system EID: nothing in common, the server declines.
-- SPDX-License-Identifier: BSD-3-Clause
-- capture: 7.3.4-smclo-smcd-f5-no-eid.pcap
scenario {
    title = "The kernel's SMC-D without an EID, version 2",
    source = "traces/captures/7.3.4-smclo-smcd-f5-no-eid.pcap",
    requirements = { "CLC-029", "CLC-044" },
    targets = { "sim", "ns3", "vm" },
    roles = { "both", "lo" },
}

host "client" { address = "10.0.0.1/24", machine = "m", versions = { 2 }, paths = { "D" }, roce = false, devices = { "loopback" }, ueids = {} }
host "server" { address = "10.0.0.2/24", machine = "m", versions = { 2 }, paths = { "D" }, roce = false, devices = { "loopback" }, ueids = {} }
link("client", "server", { mtu = 1500 })

local message = "Hello SMC from client, message 1"
local c, s = connect(client, server)
c:send(message)
expect(s:receive(32), message)
s:send(message)
expect(c:receive(32), message)
expect(c.mode, "TCP")
c:close()
s:at_end()
s:close()
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
wait "500 ms"
