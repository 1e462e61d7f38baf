-- Linux takes back an RMB's key when its connection ends. Each side deletes its own and waits for the answer.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "An RMB that is not used any more is taken back",
    source = "RFC 7609 3.5.5.2.2, A.3.7",
    requirements = { "LLC-058", "LLC-060", "LLC-061" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
c:send("x")
s:receive(1)
wait_quiet()
skip_messages()
c:close()
s:close()
local asked = expect_message { "DELETE RKEY", from = "client", response = false, count = 1 }
expect_message { "DELETE RKEY", from = "server", response = true, negative = false, rkey1 = asked.rkey1, after = 0 }
expect(count_messages { "DELETE RKEY", from = "server", response = false }, 1)
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
wait "1 s"
