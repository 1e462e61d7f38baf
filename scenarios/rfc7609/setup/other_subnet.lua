-- SMC-R version 1 stays within a subnet. The server compares the Proposal's with its own; they differ in length.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Hosts of different subnets decline",
    source = "RFC 7609 3.5.1.2",
    requirements = { "CLC-020", "CLC-046", "CLC-055" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/16", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

server:listen(5000)
local c = client:connect(server, 5000)
local s = server:accept(5000)
expect(c:connected(), "TCP")
local decline = expect_message { "CLC Decline", from = "server", out_of_sync = false }
expect(c.peer_diagnosis, decline.diagnosis)
expect(s.fallback, decline.diagnosis)
expect(count_messages { "CLC Decline" }, 1)
c:send("plain after all")
expect(s:receive(15), "plain after all")
expect_groups("server", 0)
wait "1 s"
