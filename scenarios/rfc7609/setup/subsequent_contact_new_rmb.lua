-- Linux gives each connection an RMB of its own. The server's new one is confirmed on the link before its Accept, the client's
-- before its Confirm: the CLC exchange waits.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A new buffer is confirmed before the Accept names it",
    source = "RFC 7609 3.5.2, 3.5.5.2",
    requirements = { "CLC-075", "LLC-051", "LLC-054" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

connect(client, server)
wait_quiet()
skip_messages()
local c2, s2 = connect(client, server)
expect_message { "CLC Proposal" }
local asked = expect_message { "CONFIRM RKEY", from = "server", response = false }
expect_message { "CONFIRM RKEY", from = "client", response = true, negative = false, rkey = asked.rkey }
expect_message { "CLC Accept", rkey = asked.rkey }
asked = expect_message { "CONFIRM RKEY", from = "client", response = false }
expect_message { "CONFIRM RKEY", from = "server", response = true, negative = false, rkey = asked.rkey }
expect_message { "CLC Confirm", rkey = asked.rkey }
s2:send("hello")
expect(c2:receive(5), "hello")
wait "1 s"
