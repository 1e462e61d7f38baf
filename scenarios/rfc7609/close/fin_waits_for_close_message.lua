-- TCP and RoCE take different cables here, and that of RoCE is slow. TCP's FIN leaves when the peer's RNIC has the CDC that
-- says "done", so the peer reads that first.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The FIN does not overtake the close message",
    source = "RFC 7609 4.8.1",
    requirements = { "CLOSE-023" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, roce = false }
host "server" { address = "10.0.0.2/24", versions = { 1 }, roce = false }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
link("client", "server")
link("client.eth1", "server.eth1", { delay = "1 ms" })

local c, s = connect(client, server)
wait_quiet()
skip_messages()
c:send("last words")
c:shutdown("write")
expect_message { "CDC", from = "client", sending_done = true }
expect_message { "TCP FIN", from = "client" }
expect(s:receive_all(), "last words")
s:close()
c:close()
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
wait "1 s"
