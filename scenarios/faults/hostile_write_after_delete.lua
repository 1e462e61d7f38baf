-- The client answers DELETE RKEY while what it wrote to that key is still being repeated on the other link. The key is gone when that
-- arrives: the server's RNIC refuses it, and the memory, which may be another's by then, stays as it is.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "RDMA WRITE to a key that was deleted",
    source = "RFC 7609 3.5.5.2.2, 4.4.2; InfiniBand 10.6",
    requirements = { "LLC-060", "CLOSE-017", "CLOSE-020", "ROCE-005" },
    targets = { "sim" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = { "rfc", rmbes_per_rmb = 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = { "rfc", rmbes_per_rmb = 1, close_guard_ns = "20 ms" } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
link("client", "server")
local cable = link("client.eth1", "server.eth1")

expect_finding { id = "ROCE-005", by = "client" }
local a, b = connect(client, server)
expect_links("client", 2)
wait_quiet()
local c, s
for _ = 1, 2 do c, s = connect(client, server) end
expect(c.link, 2)
wait_quiet()
skip_messages()
cable:drop { "RDMA WRITE", from = "client", count = 15 }
c:send(pattern("20 KiB"))
wait "1 ms"
s:close()
local asked = expect_message { "DELETE RKEY", from = "server", response = false }
expect(asked.link, 1)
expect_state(s, "CLOSED")
wait "10 us"
a:inject(asked.bytes:sub(1, 3) .. "\x80" .. asked.bytes:sub(5))
expect_message { "DELETE LINK", from = "server", link_number = 2, within = "2 s" }
transfer { from = a, to = b, bytes = "64 KiB", both_ways = true }
wait "1 s"
