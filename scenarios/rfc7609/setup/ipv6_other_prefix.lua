-- The hosts reach each other as each other's gateway, but have no prefix in common: the server declines, and the connection
-- goes on as TCP.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "No common IPv6 prefix",
    source = "RFC 7609 3.5.1.2, A.2.1",
    requirements = { "CLC-018", "CLC-046", "CLC-055" },
    targets = { "sim", "ns3" },
}

host "client" { address = "2001:db8:1::1/64", versions = { 1 }, gateway = "2001:db8:2::2" }
host "server" { address = "2001:db8:2::2/64", versions = { 1 }, gateway = "2001:db8:1::1" }
link("client", "server")

server:listen(5000)
local c = client:connect(server, 5000)
local s = server:accept(5000)
expect(c:connected(), "TCP")
expect_message { "CLC Decline", from = "server", diagnosis = 0x03070000 }
c:send("plain")
expect(s:receive(5), "plain")
wait "1 s"
