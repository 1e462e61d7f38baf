-- Neither side's closing message arrives, and the server's FIN still waits for a completion when it has waited long enough and resets TCP.
-- The client, which by Linux's ways has no timer, takes that for the end: it closes without an error, and gives its RMB back.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A TCP RST ends the wait for the peer's close",
    source = "RFC 7609 4.8.2; linux net/smc/smc_close.c",
    requirements = { "CLOSE-017", "CLOSE-018", "LLC-061" },
    targets = { "sim" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = { "linux", close_guard_ns = "20 ms" } }
link("client", "server")

local a, b = connect(client, server)
local c, s = connect(client, server)
wait_quiet()
skip_messages()
server:roce_fault("eth0", { "delay completion", operations = "send", every = 1, times = 0, argument = "100 ms" })
client:edit { "CDC", nth = 1, drop = true }
server:edit { "CDC", nth = 1, drop = true }
c:close()
s:close()
wait "10 ms"
expect(c.state, "PEERCLOSEWAIT1")
expect_message { "TCP RST", from = "server" }
expect_message { "DELETE RKEY", from = "client", response = false }
expect(c.state, "CLOSED")
expect(c.error, nil)
transfer { from = a, to = b, bytes = "64 KiB", both_ways = true }
wait "1 s"
