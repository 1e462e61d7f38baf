-- It offered SMC by the option, but has nothing to speak it with. The client falls back and says nothing to that.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A server without a RoCE device declines",
    source = "RFC 7609 3.5.1.2, C.1",
    requirements = { "CLC-046", "CLC-047", "CLC-055" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 }, roce = false }
link("client", "server")

server:listen(5000)
local c = client:connect(server, 5000)
local s = server:accept(5000)
expect(c:connected(), "TCP")
expect_message { "CLC Decline", from = "server", diagnosis = 0x03030000 }
expect_no_message { "CLC Decline", within = "1 s" }
c:send("x")
expect(s:receive(1), "x")
wait "1 s"
