-- With TCP_CORK small writes are joined. The RFC wants a timer: after 250 ms they leave in one message.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Corked data waits, but not for ever (RFC)",
    source = "RFC 7609 4.5",
    requirements = { "CURSOR-014" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = "rfc" }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = "rfc" }
link("client", "server")

local c, s = connect(client, server)
c:set { cork = true }
wait_quiet()
skip_messages()
for i = 1, 10 do c:send("part ") end
expect_no_message { "CDC", from = "client", within = "200 ms" }
expect_message { "CDC", from = "client", within = "100 ms" }
expect(s:receive(50), ("part "):rep(10))
expect(count_messages { "RDMA WRITE", from = "client", data_length = 50 }, 1)
wait "1 s"
