-- The client's SYN carries the option, the server's answer does not: plain TCP, and not one byte of CLC.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Only the client offers SMC",
    source = "RFC 7609 3.1",
    requirements = { "TCPOPT-001", "TCPOPT-005" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

server:listen(5000, { tcp_only = true })
local c = client:connect(server, 5000)
local s = server:accept(5000)
expect(c:connected(), "TCP")
expect(expect_message { "TCP SYN", from = "client" }.data_length, 6, "length of the client's option")
expect(expect_message { "TCP SYN", from = "server" }.data_length, 0, "length of the server's option")

c:send("plain")
expect(s:receive(5), "plain")
expect(count_messages { "CLC Proposal" }, 0)
expect_groups("client", 0)
wait "1 s"
