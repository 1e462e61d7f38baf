-- A SYN without the option must be answered without it, although the server would speak SMC.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Only the server knows SMC",
    source = "RFC 7609 3.1",
    requirements = {},
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

server:listen(5000)
local c = client:connect(server, 5000, { tcp_only = true })
local s = server:accept(5000)
expect(c:connected(), "TCP")
expect(expect_message { "TCP SYN", from = "client" }.data_length, 0, "length of the client's option")
expect(expect_message { "TCP SYN", from = "server" }.data_length, 0, "length of the server's option")

s:send("good day")
expect(c:receive(8), "good day")
expect(count_messages { "CLC Proposal" }, 0)
wait "1 s"
