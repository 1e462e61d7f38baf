-- The server says nothing: after the timer the client's connection ends with an error, not in TCP; what comes late is not delivered.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Nobody answers the Proposal",
    source = "RFC 7609 C.5",
    requirements = { "CLC-010", "CLC-011", "CLC-012" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")
server:listen(5000)
server:edit { "CLC Accept", drop = true }
local before = now()
local c = client:connect(server, 5000)
expect_error(c, "TIMEOUT", { within = "20 s" })
local took = now() - before
expect_true(took >= 6 * 1000000000 and took < 7 * 1000000000, "the timer is six seconds")
expect(c.mode, "none")
expect(server:try_accept(5000, { within = "10 s" }), nil)
expect(count_messages { "CLC Decline" }, 0)
expect_groups("server", 0)
local c2, s2 = connect(client, server)
expect(c2.mode, "SMC-R")
