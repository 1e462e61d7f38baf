-- SO_LINGER 0 and close: closed, not aborted, when everything was read.
-- SPDX-License-Identifier: BSD-3-Clause
-- capture: 7.3.4-smclo-v2-e1-linger0.pcap from 500 ms
scenario {
    title = "The kernel's close with SO_LINGER 0, version 2",
    source = "traces/captures/7.3.4-smclo-v2-e1-linger0.pcap",
    requirements = { "CLOSE-002", "CLOSE-020" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 2 }, ueids = { "SMCTEST-EID1" }, devices = { "loopback" } }
host "server" { address = "10.0.0.2/24", versions = { 2 }, ueids = { "SMCTEST-EID1" }, devices = { "loopback" } }
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
c:set { linger = 0 }
c:close()
wait "1 s"
s:at_end()
s:close()
expect_state(s, "CLOSED")
wait "500 ms"
