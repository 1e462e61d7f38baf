-- By the RFC the server cannot tell whether the client has begun to use the link: it resets the TCP connection.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The reply to CONFIRM LINK is lost (RFC)",
    source = "RFC 7609 C.7.1",
    requirements = { "LLC-064", "CLOSE-018" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = "rfc" }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = "rfc" }
link("client", "server")

client:edit { "CONFIRM LINK", of = "response", drop = true }
server:listen(5000)
local c = client:connect(server, 5000)
expect_message { "TCP RST", from = "server", within = "5 s" }
expect_error(c, "RESET")
expect(count_messages { "CLC Decline" }, 0)
expect_groups("server", 0)
wait "1 s"
