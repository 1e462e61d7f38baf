-- The client waits 6 s for an answer to its Proposal, then ends the TCP connection: nobody can know whether the server would
-- still answer, so falling back is not safe.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The Accept never comes",
    source = "RFC 7609 C.5",
    requirements = { "CLC-010", "CLC-011", "CLC-022" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

server:edit { "CLC Accept", drop = true }
server:listen(5000)
local c = client:connect(server, 5000)
expect_message { "CLC Proposal", from = "client" }
expect_groups("client", 0)
wait "5.9 s"
expect(c.error, nil)
expect_error(c, "TIMEOUT", { within = "0.2 s" })
expect(count_messages { "CLC Decline", from = "client" }, 0)
wait "1 s"
