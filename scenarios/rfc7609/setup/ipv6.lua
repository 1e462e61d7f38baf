-- The Proposal carries the client's prefixes instead of a subnet; the server finds one that it has as well.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "First contact over IPv6",
    source = "RFC 7609 A.2.1",
    requirements = { "CLC-018", "CLC-021" },
    targets = { "sim", "ns3" },
}

host "client" { address = "2001:db8::1/64", versions = { 1 } }
host "server" { address = "2001:db8::2/64", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
expect(c.mode, "SMC-R")
local proposal = expect_message { "CLC Proposal", from = "client" }
expect_true(proposal.prefix_count >= 1, "the Proposal has a prefix")
c:send("hello")
expect(s:receive(5), "hello")
wait "1 s"
