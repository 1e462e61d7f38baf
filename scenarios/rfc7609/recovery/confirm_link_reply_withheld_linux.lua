-- Linux' server declines after 2 s, and the connection falls back. No byte of CLC reaches an application.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The reply to CONFIRM LINK is lost (Linux)",
    source = "RFC 7609 C.7.1, deviation A-11",
    requirements = { "CLC-053", "LLC-064" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

client:edit { "CONFIRM LINK", of = "response", drop = true }
server:listen(5000)
local c = client:connect(server, 5000)
local decline = expect_message { "CLC Decline", from = "server", within = "5 s" }
expect(c:connected(), "TCP")
local s = server:accept(5000)
expect(c.peer_diagnosis, decline.diagnosis)
c:send("clean")
expect(s:receive(5), "clean")
s:send("clean")
expect(c:receive(5), "clean")
wait "1 s"
