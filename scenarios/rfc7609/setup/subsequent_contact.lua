-- A link group exists: the Accept says so (first contact off), and no link is confirmed again.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The second connection of two hosts",
    source = "RFC 7609 3.5.2",
    requirements = { "CLC-031", "CLC-032", "CLC-073" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c1, s1 = connect(client, server)
wait_quiet()
skip_messages()

local c2, s2 = connect(client, server)
expect(c2.mode, "SMC-R")
expect_message { "CLC Proposal", from = "client" }
expect_message { "CLC Accept", from = "server", first_contact = false }
expect_message { "CLC Confirm", from = "client" }
expect(count_messages { "CONFIRM LINK", response = false }, 1)
expect(c2.group, c1.group, "one group for both")
expect_true(c2.token ~= c1.token, "each connection has a token of its own")

c1:send("one")
c2:send("two")
expect(s1:receive(3), "one")
expect(s2:receive(3), "two")
expect_groups("client", 1)
wait "1 s"
