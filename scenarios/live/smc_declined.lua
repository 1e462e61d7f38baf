-- Somebody's SMC server far away shares no EID with us: it declines, and echoes by TCP.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "An SMC server far away declines",
    source = "RFC 7609 3.1; SMC-Rv2 EID",
    requirements = { "TCPOPT-007", "CLC-029", "CLC-044" },
    targets = { "remote" },
    roles = { "server" },
}

host "client" { address = "10.0.0.1/24", versions = { 2 }, paths = { "R" }, ueids = { "NOBODY-ELSES-EID" } }
host "server" { address = "10.0.0.2/24", versions = { 2 }, paths = { "R" } }
link("client", "server", { mtu = 1500 })

server:listen(5000)
local c = client:connect(server, 5000)
expect(c:connected(), "TCP")
expect_message { "CLC Decline", from = "server" }
local message = pattern("50 KiB")
c:send(message)
expect(c:receive(#message), message)
c:close()
wait "200 ms"
expect_state(c, "CLOSED")
