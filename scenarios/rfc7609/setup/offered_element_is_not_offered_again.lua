-- The client's Confirm never comes, and the server's RST is lost: the client may still write to what the Accept has offered. The
-- server offers that element to nobody else.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "An element that an Accept has offered is not offered again before the peer knows",
    source = "RFC 7609 4.8, 3.5.5.2.2",
    requirements = { "CLC-039", "CLC-012" },
    targets = { "sim" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
local cable = link("client", "server")

connect(client, server, 5000)
wait_quiet()
cable:drop { "CLC Confirm", from = "client", count = 100 }
cable:drop { "TCP RST", from = "server", count = 1 }
skip_messages()
server:listen(5001)
client:connect(server, 5001)
local first = expect_message { "CLC Accept", from = "server" }
wait "7 s"
cable:clear()
connect(client, server, 5002)
local second = expect_message { "CLC Accept", from = "server" }
expect_true(second.rkey ~= first.rkey or second.rmbe_index ~= first.rmbe_index, "the element is offered again")
