-- The server's only RoCE device is deleted while echoes are under way: the client's TEST LINK is not answered, TCP is reset.
-- SPDX-License-Identifier: BSD-3-Clause
-- capture: 7.3.4-smclo-v2-e4-lgr-terminate-active.pcap from 1500 ms
scenario {
    title = "The kernel's link group that dies under traffic, version 2",
    source = "traces/captures/7.3.4-smclo-v2-e4-lgr-terminate-active.pcap",
    requirements = { "LLC-007", "LLC-042", "LLC-062", "LLC-086", "CLOSE-018" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 2 }, ueids = { "SMCTEST-EID1" }, profile = { "linux", test_link_idle_ns = "2010 ms" }, devices = { "loopback" } }
host "server" { address = "10.0.0.2/24", versions = { 2 }, ueids = { "SMCTEST-EID1" }, profile = { "linux", test_link_idle_ns = "2 s" }, devices = { "loopback" } }
link("client", "server", { mtu = 1500 })

-- A connection before: the capture begins when the link group is there, with a TEST LINK after two seconds of silence.
local c0, s0 = connect(client, server)
c0:close()
s0:at_end()
s0:close()
wait "2650 ms"

local c, s = connect(client, server)
for i = 0, 7 do
    local message = string.format("msg %04d", i)
    c:send(message)
    expect(s:receive(8), message)
    s:send(message)
    expect(c:receive(8), message)
    wait "200 ms"
end
c:send("msg 0008")
wait "1 ms"
server:remove "roce eth0"
expect_error(c, "RESET")
wait "500 ms"
