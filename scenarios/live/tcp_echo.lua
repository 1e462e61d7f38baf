-- Somebody's echo server that knows no SMC: our SYN carries the option, the answer does not, the bytes come back by TCP.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A TCP echo far away",
    source = "RFC 7609 3.1",
    requirements = { "TCPOPT-001" },
    targets = { "remote" },
    roles = { "server" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server", { mtu = 1500 })

server:listen(7)
local c = client:connect(server, 7)
expect(c:connected(), "TCP")
local message = pattern("100 KiB")
c:send(message)
expect(c:receive(#message), message)
c:close()
expect_message { "TCP FIN", from = "client" }
wait "200 ms"
