-- The client shuts its writing side down, the server then answers and closes.
-- SPDX-License-Identifier: BSD-3-Clause
-- capture: 6.12.107-smclo-v1pure-d2-half-close-peer-sends.pcap from 500 ms
scenario {
    title = "The kernel's half close with an answer, version 1",
    source = "traces/captures/6.12.107-smclo-v1pure-d2-half-close-peer-sends.pcap",
    requirements = { "CLOSE-001", "CLOSE-010", "CLOSE-012", "CLOSE-020" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, paths = { "R" } }
host "server" { address = "10.0.0.2/24", versions = { 1 }, paths = { "R" } }
link("client", "server", { mtu = 1500 })

-- A connection before: the capture begins when the link group is there.
local c0, s0 = connect(client, server)
c0:close()
s0:at_end()
s0:close()
wait "1 s"

local c, s = connect(client, server)
expect(c.mode, "SMC-R")
c:send("Hello SMC from client, message 1")
wait "2 ms"
c:shutdown("write")
expect(#s:receive(32), 32)
s:at_end()
s:send("32 2859\n")
s:close()
expect(#c:receive(8), 8)
c:at_end()
c:close()
expect_state(c, "CLOSED")
wait "500 ms"
