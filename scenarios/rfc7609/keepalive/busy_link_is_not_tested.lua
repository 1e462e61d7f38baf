-- A byte there and a byte back every 10 s: nothing is idle for 30 s.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A link with traffic is not tested",
    source = "RFC 7609 4.5.3",
    requirements = { "TCPOPT-001", "TCPOPT-002" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
for i = 1, 10 do
    wait "10 s"
    c:send("a")
    s:receive(1)
    s:send("b")
    c:receive(1)
end
expect(count_messages { "TEST LINK" }, 0)
wait "1 s"
