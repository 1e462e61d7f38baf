-- A send buffer is given back while a message of another connection is under way on the same link. Once that has arrived, all that was
-- posted before it has too, and the next connection gets the buffer.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A send buffer waits for what was posted before it was given back, and no longer",
    source = "linux net/smc/smc_core.c",
    requirements = { "CLOSE-020" },
    targets = { "sim" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = "rfc" }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = "rfc" }
link("client", "server", { delay = "1 ms" })

local c1, s1 = connect(client, server)
local c2, s2 = connect(client, server)
local c3, s3 = connect(client, server)
c1:send("first")
expect(s1:receive(5), "first")
c1:close()
wait "100 ms"
s1:close()
c2:send("under way")
expect_state(c1, "CLOSED")
expect(s2:receive(9), "under way")
wait "1 s"
c3:send("behind")
expect(s3:receive(6), "behind")
local n = counters("client").r
expect(n.tx_buffer_alloc, 2)
expect(n.tx_buffer_reuse, 1)
wait "1 s"
