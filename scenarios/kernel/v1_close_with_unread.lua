-- The client closes with 100 bytes unread: abort, answered by an abort.
-- SPDX-License-Identifier: BSD-3-Clause
-- capture: 6.12.107-smclo-v1pure-e3-close-with-unread.pcap from 500 ms
scenario {
    title = "The kernel's close with unread bytes, version 1",
    source = "traces/captures/6.12.107-smclo-v1pure-e3-close-with-unread.pcap",
    requirements = { "CLOSE-016", "CLOSE-002" },
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
s:send(string.rep("S", 100))
wait "2 ms"
c:send("H")
expect(s:receive(1), "H")
s:send(string.rep("S", 100))
wait "200 ms"
c:close()
wait "100 ms"
s:close()
wait "500 ms"
