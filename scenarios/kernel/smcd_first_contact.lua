-- Over the loopback device of one machine; only CLC is compared, as the kernel's moves reach no wire.
-- SPDX-License-Identifier: BSD-3-Clause
-- capture: 7.3.4-smclo-smcd-a-first-contact.pcap
scenario {
    title = "The kernel's first contact of SMC-D, version 2",
    source = "traces/captures/7.3.4-smclo-smcd-a-first-contact.pcap",
    requirements = { "CLC-061", "CLC-057", "SMCD-009", "SMCD-026" },
    targets = { "sim", "ns3", "vm" },
    roles = { "both", "lo" },
}

host "client" { address = "10.0.0.1/24", machine = "m", versions = { 2 }, paths = { "D" }, roce = false, devices = { "loopback" }, ueids = { "SMCTEST-EID1" } }
host "server" { address = "10.0.0.2/24", machine = "m", versions = { 2 }, paths = { "D" }, roce = false, devices = { "loopback" }, ueids = { "SMCTEST-EID1" } }
link("client", "server", { mtu = 1500 })

local message = "Hello SMC from client, message 1"
local c, s = connect(client, server)
c:send(message)
expect(s:receive(32), message)
s:send(message)
expect(c:receive(32), message)
expect(c.mode, "SMC-D")
c:close()
s:at_end()
s:close()
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
wait "500 ms"
