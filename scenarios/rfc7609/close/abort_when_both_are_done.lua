-- Both sides have shut their sending, so the server is in APPCLOSEWAIT2 when the client closes with bytes unread. That state ends at
-- once and says nothing: whoever aborted is not told more, and waits for the guard only.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Abort when both sides are done with sending",
    source = "RFC 7609 4.8.2; linux net/smc/smc_close.c",
    requirements = { "CDC-012", "CLOSE-016", "CLOSE-017" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = "rfc" }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = "rfc" }
link("client", "server")

local c, s = connect(client, server)
c:shutdown("write")
expect_state(s, "APPCLOSEWAIT1")
s:send("nobody reads this")
s:shutdown("write")
expect_state(s, "APPCLOSEWAIT2")
expect_state(c, "PEERCLOSEWAIT2")
c:close()
expect_message { "CDC", from = "client", abnormal_close = true }
expect(c.state, "PEERABORTWAIT")
expect_state(s, "CLOSED")
expect_error(s, "RESET")
expect_no_message { "CDC", from = "server", within = "1 s" }
s:close()
expect_state(c, "CLOSED", { within = "30 s" })
wait "1 s"
