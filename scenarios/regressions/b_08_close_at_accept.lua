-- B-08: the application closes a connection in the moment in which it is accepted.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-08: accepted and closed at once",
    source = "net/smc: fix UAF on smcsk after smc_listen_out()",
    requirements = { "CLOSE-005" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")
server:listen(5000)

for round = 1, 20 do
    local c = client:connect(server, 5000)
    local s = server:accept(5000)
    s:close()
    if round % 2 == 0 then c:close() end
    c:connected()
    if round % 2 == 1 then
        c:at_end()
        c:close()
    end
    expect_state(c, "CLOSED")
    expect_state(s, "CLOSED")
end
local c, s = connect(client, server, 5000)
transfer { from = c, to = s, bytes = "10 KiB", both_ways = true }
expect(counters("server").handshake_errors, 0)
