-- No EID in common: the server declines, then the bytes go over the same TCP connection.
-- SPDX-License-Identifier: BSD-3-Clause
-- capture: 6.12.107-v2-f5-decline-eid-mismatch.pcap
scenario {
    title = "The kernel's endpoints without a common EID, version 2",
    source = "traces/captures/6.12.107-v2-f5-decline-eid-mismatch.pcap",
    requirements = { "CLC-029", "CLC-044" },
    targets = { "sim", "vm", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 2 }, paths = { "R" }, ueids = { "SMCTEST-EID1" } }
host "server" { address = "10.0.0.2/24", versions = { 2 }, paths = { "R" }, ueids = { "ANOTHER-EID" } }
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
