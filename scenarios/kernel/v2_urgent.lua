-- Ten bytes, an urgent byte that is read out of band, then both close.
-- SPDX-License-Identifier: BSD-3-Clause
-- capture: 7.3.4-smclo-v2-k-urgent.pcap from 500 ms
scenario {
    title = "The kernel's urgent byte, version 2",
    source = "traces/captures/7.3.4-smclo-v2-k-urgent.pcap",
    requirements = { "CURSOR-015" },
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

local c, s = connect(client, server)
c:send("Hello SMC ")
expect(s:receive(10), "Hello SMC ")
wait "100 ms"
c:urgent("U")
s:wait_urgent()
expect(s:read_urgent(), "U")
wait "1500 ms"
s:close()
wait "300 ms"
c:close()
expect_state(c, "CLOSED")
wait "500 ms"
