-- While the server adds a link, the client's new RMB would be unknown to that link. By the RFC the server answers "not now"
-- (negative, with configuration retry); the client tries again when the link is there. Messages take 1 ms here, so that the
-- client's CONFIRM RKEY and the server's ADD LINK cross.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "CONFIRM RKEY during ADD LINK is refused, and retried",
    source = "RFC 7609 3.5.5.3.2",
    requirements = { "LLC-043", "LLC-047", "LLC-052" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = { "rfc", rmbes_per_rmb = 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = { "rfc", rmbes_per_rmb = 1 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
link("client", "server", { delay = "1 ms" })
local second_cable = link("client.eth1", "server.eth1", { delay = "1 ms" })

second_cable:down()
connect(client, server)
wait_quiet()
skip_messages()
local c = client:connect(server, 5000)
expect_message { "CONFIRM RKEY", from = "client", response = true }   -- the answer to the server's; its Accept follows
wait "0.5 ms"
second_cable:up()
expect_message { "ADD LINK", from = "server", response = false }
local asked = expect_message { "CONFIRM RKEY", from = "client", response = false, other_count = 0 }
expect_message { "CONFIRM RKEY", from = "server", response = true, negative = true, retry = true, rkey = asked.rkey }
asked = expect_message { "CONFIRM RKEY", from = "client", response = false, other_count = 1 }
expect_message { "CONFIRM RKEY", from = "server", response = true, negative = false, rkey = asked.rkey }
expect(c:connected(), "SMC-R")
local s = server:accept(5000)
c:send("there")
expect(s:receive(5), "there")
wait "1 s"
