-- The link group is there: Accept and Confirm have no first contact extension.
-- SPDX-License-Identifier: BSD-3-Clause
-- capture: 7.3.4-smclo-smcd-d-half-close.pcap from 500 ms
scenario {
    title = "The kernel's subsequent contact of SMC-D, version 2",
    source = "traces/captures/7.3.4-smclo-smcd-d-half-close.pcap",
    requirements = { "CLC-057", "CLC-048", "CLC-049", "CLOSE-002" },
    targets = { "sim", "ns3", "vm" },
    roles = { "both", "lo" },
}

host "client" { address = "10.0.0.1/24", machine = "m", versions = { 2 }, paths = { "D" }, roce = false, devices = { "loopback" }, ueids = { "SMCTEST-EID1" } }
host "server" { address = "10.0.0.2/24", machine = "m", versions = { 2 }, paths = { "D" }, roce = false, devices = { "loopback" }, ueids = { "SMCTEST-EID1" } }
link("client", "server", { mtu = 1500 })

-- A connection before: the capture begins when the link group is there.
local c0, s0 = connect(client, server)
c0:close()
s0:at_end()
s0:close()
wait "1 s"

local message = "Hello SMC from client, message 1"
local c, s = connect(client, server)
c:send(message)
expect(s:receive(32), message)
s:send(message)
expect(c:receive(32), message)
c:shutdown("write")
s:at_end()
s:close()
c:at_end()
c:close()
expect_state(c, "CLOSED")
wait "500 ms"
