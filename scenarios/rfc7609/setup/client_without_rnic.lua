-- Both sides offered SMC; the server waits for a CLC message. A Decline is one.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A client without a RoCE device declines in place of its Proposal",
    source = "RFC 7609 C.1",
    requirements = { "CLC-043", "CLC-046", "CLC-055" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, roce = false }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

server:listen(5000)
local c = client:connect(server, 5000)
local s = server:accept(5000)
expect(c:connected(), "TCP")
local decline = expect_message { "CLC Decline", from = "client" }
expect(c.fallback, decline.diagnosis)
expect(s.mode, "TCP")
expect(count_messages { "CLC Proposal" }, 0)
s:send("y")
expect(c:receive(1), "y")
wait "1 s"
