-- SMC-D, version 2, asks for no version of IP.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The loopback device over IPv6",
    source = "SMC-Dv2",
    requirements = { "CLC-061", "CLC-057" },
    targets = { "sim", "ns3", "vm" },
    roles = { "both", "lo" },
}

host "client" { address = "fd00::1/64", machine = "m", versions = { 2 }, paths = { "D" }, roce = false, devices = { "loopback" }, ueids = { "SMCTEST-EID1" } }
host "server" { address = "fd00::2/64", machine = "m", versions = { 2 }, paths = { "D" }, roce = false, devices = { "loopback" }, ueids = { "SMCTEST-EID1" } }
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
wait "500 ms"
