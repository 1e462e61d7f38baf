-- The server has seen the option and waits for a CLC message that does not come. Its timer ends the TCP connection.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The Proposal never comes",
    source = "RFC 7609 C.5",
    requirements = { "CLC-010", "CLC-011" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

client:edit { "CLC Proposal", drop = true }
server:listen(5000)
local c = client:connect(server, 5000)
expect_message { "TCP RST", from = "server", within = "7 s" }
expect_true(c.error ~= nil, "the client's connection ended")
wait "1 s"
