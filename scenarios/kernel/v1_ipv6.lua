-- The Proposal carries an IPv6 prefix.
-- SPDX-License-Identifier: BSD-3-Clause
-- capture: 6.12.107-smclo-v1pure-i-ipv6.pcap from 500 ms
scenario {
    title = "The kernel over IPv6, version 1",
    source = "traces/captures/6.12.107-smclo-v1pure-i-ipv6.pcap",
    requirements = { "CLC-018", "CLC-030" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "fd00::1/64", versions = { 1 }, paths = { "R" } }
host "server" { address = "fd00::2/64", versions = { 1 }, paths = { "R" } }
link("client", "server", { mtu = 1500 })

-- A connection before: the capture begins when the link group is there.
local c0, s0 = connect(client, server)
c0:close()
s0:at_end()
s0:close()
wait "1 s"

local message = "Hello SMC from client, message 1"
local c, s = connect(client, server)
expect(c.mode, "SMC-R")
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
