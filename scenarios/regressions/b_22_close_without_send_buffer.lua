-- B-22: a connection that never sent a byte has no send buffer; its close must reach the peer all the same.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-22: the close message of a connection without a send buffer",
    source = "net/smc: allow cdc msg send rather than drop it with NULL sndbuf_desc",
    requirements = { "CLOSE-005", "CLOSE-008" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")

local c, s = connect(client, server)
c:close()
s:at_end { within = "1 s" }
s:close()
expect_state(c, "CLOSED", { within = "1 s" })
expect_state(s, "CLOSED", { within = "1 s" })

-- The same when there was to be one and no memory for it: nothing can be sent, but the end can.
c, s = connect(client, server)
client:roce_fault("eth0", { "refuse mr", times = 0, every = 1 })
expect(c:try_send("x"), 0)
c:close()
s:at_end { within = "1 s" }
s:close()
expect_state(c, "CLOSED", { within = "1 s" })
