-- Somebody's TCP client that knows no SMC connects to our server, which answers without the option and echoes what comes.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A TCP client from far away",
    source = "RFC 7609 3.1",
    requirements = { "TCPOPT-001" },
    targets = { "remote" },
    roles = { "client" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server", { mtu = 1500 })

server:listen(5000)
client:connect(server, 5000) -- there
local s = server:accept(5000)
expect(s.mode, "TCP")
local message = s:receive(100 * 1024)
s:send(message)
s:at_end()
s:close()
wait "200 ms"
expect_state(s, "CLOSED")
