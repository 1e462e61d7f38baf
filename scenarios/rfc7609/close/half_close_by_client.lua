-- shutdown(write) says "sending done". The server reads the end and still answers; then it closes, and the client last.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Half close: the client has sent all",
    source = "RFC 7609 4.8.1",
    requirements = { "CLOSE-004", "CLOSE-005", "CLOSE-007", "CLOSE-009", "CLOSE-010", "CLOSE-012" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
c:send("question")
c:shutdown("write")
expect_state(c, "PEERCLOSEWAIT1")
expect_message { "CDC", from = "client", sending_done = true, closed = false }
expect(s:receive_all(), "question")
expect(s.state, "APPCLOSEWAIT1")
s:send("answer")
expect(c:receive(6), "answer")
s:close()
expect_message { "CDC", from = "server", closed = true }
expect_state(s, "PEERFINCLOSEWAIT")
expect_state(c, "APPFINCLOSEWAIT")
c:at_end()
c:close()
expect_message { "CDC", from = "client", closed = true }
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
wait "1 s"
