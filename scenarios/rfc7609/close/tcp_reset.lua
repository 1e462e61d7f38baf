-- The server's process is killed in a way that resets its TCP connection; SMC follows.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A TCP RST aborts",
    source = "RFC 7609 4.8.2",
    requirements = { "CLOSE-018", "CDC-012" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
c:send("hello")
s:receive(5)
server:kill()
expect_error(c, "RESET", { within = "60 s" })
wait "1 s"
