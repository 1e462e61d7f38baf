-- Two devices a side: the second link with ADD LINK CONTINUATION, before the first byte of data.
-- SPDX-License-Identifier: BSD-3-Clause
-- capture: 6.12.107-smclo-v1pure-g-two-links-add-link.pcap
scenario {
    title = "The kernel's second link, version 1",
    source = "traces/captures/6.12.107-smclo-v1pure-g-two-links-add-link.pcap",
    requirements = { "LLC-015", "LLC-017", "LLC-029", "LLC-030", "LLC-031", "LLC-059" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, paths = { "R" } }
host "server" { address = "10.0.0.2/24", versions = { 1 }, paths = { "R" } }
link("client", "server", { mtu = 1500 })
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
link("client.eth1", "server.eth1", { mtu = 1500 })

local c, s = connect(client, server)
expect(c.mode, "SMC-R")
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
