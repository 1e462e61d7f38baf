-- Somebody's SMC server far away, of which nothing is known but its frames, echoes what we send. UEID: SMCLAB.EID.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "An SMC echo far away",
    source = "RFC 7609 3.2; SMC-Rv2",
    requirements = { "TCPOPT-007", "CLC-004", "CDC-007", "CURSOR-001" },
    targets = { "remote" },
    roles = { "server" },
}

host "client" { address = "10.0.0.1/24", versions = { 2 }, paths = { "R" } }
host "server" { address = "10.0.0.2/24", versions = { 2 }, paths = { "R" } }
link("client", "server", { mtu = 1500 })

server:listen(5000)
local c = client:connect(server, 5000)
expect(c:connected(), "SMC-R")
local message = pattern("200 KiB")
local sent, came = 0, 0
while came < #message do
    local n = math.min(20000, #message - came)
    c:send(message:sub(came + 1, came + n))
    expect(c:receive(n), message:sub(came + 1, came + n))
    came = came + n
end
c:close()
wait "1 s"
expect_state(c, "CLOSED")
