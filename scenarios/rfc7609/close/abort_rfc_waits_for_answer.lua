-- The side that aborts waits in PeerAbortWait until the peer has answered, or the guard timer has run out. The peer's
-- application sees the error and closes.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The RFC's aborter waits for the answer",
    source = "RFC 7609 4.8.2",
    requirements = { "CLOSE-017" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = "rfc" }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = "rfc" }
link("client", "server")

local c, s = connect(client, server)
c:send("unread")
wait "1 ms"
s:close()
expect_state(s, "PEERABORTWAIT")
expect_error(c, "RESET")
c:close()
expect_state(s, "CLOSED")
expect_state(c, "CLOSED")
wait "1 s"
