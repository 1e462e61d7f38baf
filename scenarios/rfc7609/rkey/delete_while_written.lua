-- The client takes back a key over one link while what the server wrote there is still being repeated on the other. The server
-- answers when that has arrived: a WRITE to a key that is gone would break the link for all its connections.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "DELETE RKEY is answered when no WRITE to the key is under way any more",
    source = "RFC 7609 3.5.5.2.2, A.3.7",
    requirements = { "LLC-058", "LLC-060" },
    targets = { "sim" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
link("client", "server")
local cable = link("client.eth1", "server.eth1")

local a, b = connect(client, server, 5000)
expect_links("client", 2)
wait_quiet()
local c, s
for port = 5001, 5002 do c, s = connect(client, server, port) end
expect(c.link, 2)
wait_quiet()
local keys = messages { "CONFIRM RKEY", from = "client", response = false }
local key = keys[#keys].link == 1 and keys[#keys].rkey or keys[#keys].rkey1
skip_messages()
cable:drop { "RDMA WRITE", from = "server", count = 15 }
s:send(pattern("20 KiB"))
wait "1 ms"
c:inject { "DELETE RKEY", count = 1, rkey1 = key, link = 1 }
expect_no_message { "DELETE RKEY", from = "server", response = true, within = "100 ms" }
expect_message { "DELETE RKEY", from = "server", response = true, negative = false, rkey1 = key, within = "1 s" }
expect(c:receive(20480), pattern("20 KiB"))
expect(counters("server").links_lost, 0)
transfer { from = a, to = b, bytes = "64 KiB", both_ways = true }
