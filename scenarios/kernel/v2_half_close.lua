-- The client shuts its writing side down; the server closes at the end of the stream, then the client.
-- SPDX-License-Identifier: BSD-3-Clause
-- capture: 6.12.107-v2-d-half-close.pcap from 500 ms
scenario {
    title = "The kernel's half close, version 2",
    source = "traces/captures/6.12.107-v2-d-half-close.pcap",
    requirements = { "CLOSE-001", "CLOSE-010", "CLOSE-012" },
    targets = { "sim", "vm", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 2 }, paths = { "R" }, ueids = { "SMCTEST-EID1" } }
host "server" { address = "10.0.0.2/24", versions = { 2 }, paths = { "R" }, ueids = { "SMCTEST-EID1" } }
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
wait "5 ms"
c:close()
expect_state(c, "CLOSED")
wait "500 ms"
