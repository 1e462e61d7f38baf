-- The server's CONFIRM LINK is late. Until it comes neither side has a connection.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The application gets no socket before the link is confirmed",
    source = "RFC 7609 3.5.1.5",
    requirements = { "TCPOPT-006", "CLC-010", "LLC-009", "LLC-010" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
local cable = link("client", "server")

cable:delay { "CONFIRM LINK", from = "server", by = "5 ms" }
server:listen(5000)
local c = client:connect(server, 5000)
expect_message { "CLC Confirm" }
wait "3 ms"
expect(c.mode, "none")
expect(server:try_accept(5000), nil)
expect(server:accept(5000).mode, "SMC-R")
expect(c:connected(), "SMC-R")
wait "1 s"
