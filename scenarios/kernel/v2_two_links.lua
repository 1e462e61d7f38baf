-- Two devices a side: the second link is added with the rkeys inside, before the first byte of data.
-- SPDX-License-Identifier: BSD-3-Clause
-- capture: 6.12.107-v2-g-two-links-add-link.pcap
scenario {
    title = "The kernel's second link, version 2",
    source = "traces/captures/6.12.107-v2-g-two-links-add-link.pcap",
    requirements = { "LLC-012", "LLC-013", "LLC-014", "LLC-015", "LLC-017", "LLC-075" },
    targets = { "sim", "vm", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 2 }, paths = { "R" }, ueids = { "SMCTEST-EID1" } }
host "server" { address = "10.0.0.2/24", versions = { 2 }, paths = { "R" }, ueids = { "SMCTEST-EID1" } }
link("client", "server", { mtu = 1500 })
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
link("client.eth1", "server.eth1", { mtu = 1500 })

local c, s = connect(client, server)
wait "100 ms"
for i = 0, 4 do
    local message = string.format("msg %04d", i)
    c:send(message)
    expect(s:receive(8), message)
    s:send(message)
    expect(c:receive(8), message)
    wait "200 ms"
end
c:close()
s:at_end()
s:close()
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
wait "500 ms"
