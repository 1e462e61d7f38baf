-- Two echoes three seconds apart; TEST LINK after two seconds of silence.
-- SPDX-License-Identifier: BSD-3-Clause
-- capture: 6.12.107-smclo-v1pure-j-first-contact-testlink.pcap
scenario {
    title = "The kernel's keepalive, version 1",
    source = "traces/captures/6.12.107-smclo-v1pure-j-first-contact-testlink.pcap",
    requirements = { "LLC-007", "LLC-042", "LLC-061", "LLC-062" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, paths = { "R" }, profile = { "linux", test_link_idle_ns = "2010 ms" } }
host "server" { address = "10.0.0.2/24", versions = { 1 }, paths = { "R" }, profile = { "linux", test_link_idle_ns = "2 s" } }
link("client", "server", { mtu = 1500 })

local c, s = connect(client, server)
expect(c.mode, "SMC-R")
for i = 0, 1 do
    local message = string.format("msg %04d", i)
    c:send(message)
    expect(s:receive(8), message)
    s:send(message)
    expect(c:receive(8), message)
    wait "3 s"
end
c:close()
s:at_end()
s:close()
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
wait "2 s"
wait "500 ms"
