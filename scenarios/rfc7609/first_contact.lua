-- A client and a server meet for the first time: CLC over TCP, then CONFIRM LINK over the new link, each message once and in order.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "First contact",
    source = "RFC 7609 3.5.1",
    requirements = { "CLC-001", "LLC-001" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

server:listen(5000)
local c = client:connect(server, 5000)
local s = server:accept(5000)

expect(c:connected(), "SMC-R")
expect(s.mode, "SMC-R")
expect_message { "CLC Proposal", from = "client" }
expect_message { "CLC Accept", from = "server" }
expect_message { "CLC Confirm", from = "client" }
expect_message { "CONFIRM LINK", from = "server", response = false }
expect_message { "CONFIRM LINK", from = "client", response = true }
expect(count_messages { "CLC Accept" }, 1)
expect_groups("client", 1)
expect_groups("server", 1)
expect_links("client", 1)

c:send("hello")
expect(s:receive(5), "hello")
s:send("good day")
expect(c:receive(8), "good day")

c:close()
s:at_end()
s:close()
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
