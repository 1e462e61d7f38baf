-- Somebody's SMC client far away, of which nothing is known but its frames, connects to us; we echo what it sends. UEID: SMCLAB.EID.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "An SMC client from far away",
    source = "RFC 7609 3.2; SMC-Rv2",
    requirements = { "TCPOPT-007", "CLC-004", "CDC-007", "CURSOR-001" },
    targets = { "remote" },
    roles = { "client" },
}

host "client" { address = "10.0.0.1/24", versions = { 2 }, paths = { "R" } }
host "server" { address = "10.0.0.2/24", versions = { 2 }, paths = { "R" } }
link("client", "server", { mtu = 1500 })

server:listen(5000)
client:connect(server, 5000) -- there
local s = server:accept(5000)
expect(s.mode, "SMC-R")
for _ = 1, 10 do
    local message = s:receive(10 * 1024)
    s:send(message)
end
s:at_end()
s:close()
wait "1 s"
expect_state(s, "CLOSED")
