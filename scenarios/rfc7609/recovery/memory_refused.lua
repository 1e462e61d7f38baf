-- Without an RMB there is no SMC: the server declines, and the next connection, when the RNIC is well again, is SMC.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The server's RNIC registers no memory",
    source = "RFC 7609 C.1",
    requirements = { "CLC-046", "CLC-055", "CLC-079" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

server:roce_fault("eth0", { "refuse mr", times = 0 })
server:listen(5000)
local c = client:connect(server, 5000)
local s = server:accept(5000)
expect(c:connected(), "TCP")
expect_message { "CLC Decline", from = "server" }
server:roce_fault("eth0")
local c2, s2 = connect(client, server)
expect(c2.mode, "SMC-R")
c:send("one")
c2:send("two")
expect(s:receive(3), "one")
expect(s2:receive(3), "two")
wait "1 s"
