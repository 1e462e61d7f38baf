-- The client takes back a key over one link while what the server wrote there is still under way on the two others: on one it is
-- being repeated. The server answers when all of it has arrived: a WRITE to a key that is gone would break the link for all its
-- connections.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "DELETE RKEY is answered when no WRITE to the key is under way any more",
    source = "RFC 7609 3.5.5.2.2, A.3.7",
    requirements = { "LLC-058", "LLC-060" },
    targets = { "sim" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = { "linux", max_links = 3 } }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = { "linux", max_links = 3 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
client:interface "eth2" { address = "10.0.2.1/24" }
server:interface "eth2" { address = "10.0.2.2/24" }
link("client", "server")
link("client.eth1", "server.eth1", { delay = "5 ms" })
local cable = link("client.eth2", "server.eth2")

local a, b = connect(client, server)
expect_links("client", 3)
wait_quiet()
local c, s = {}, {}
for i = 1, 3 do c[i], s[i] = connect(client, server) end
expect(c[2].link, 2)
expect(c[3].link, 3)
wait_quiet()
local keys = messages { "CONFIRM RKEY", from = "client", response = false }
local last = keys[#keys]
local key = last.link == 1 and last.rkey or last.link1 == 1 and last.rkey1 or last.rkey2
skip_messages()
cable:drop { "RDMA WRITE", from = "server", count = 15 }
s[2]:send("soon there")
s[3]:send(pattern("20 KiB"))
wait "1 ms"
c[3]:inject { "DELETE RKEY", count = 1, rkey1 = key, link = 1 }
expect_no_message { "DELETE RKEY", from = "server", response = true, within = "100 ms" }
expect_message { "DELETE RKEY", from = "server", response = true, negative = false, rkey1 = key, within = "1 s" }
expect(c[2]:receive(10), "soon there")
expect(c[3]:receive(20480), pattern("20 KiB"))
expect(counters("server").links_lost, 0)
transfer { from = a, to = b, bytes = "64 KiB", both_ways = true }
