-- As many bytes as the element holds: the cursors' counts are equal and their wraps differ, which means full, not empty.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Data flow 4: the window is filled exactly",
    source = "RFC 7609 4.7.4",
    requirements = { "CURSOR-002", "CURSOR-003", "CURSOR-011" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server, 5000, { rmb = "16 KiB" })
c:send(pattern("16 KiB"))
expect_message { "CDC", from = "client", prod_wrap = 1, prod_count = 0, cons_wrap = 0, writer_blocked = true }
wait_for(function() return s.readable == 16384 end, "all that fits is there")
expect(s:receive("16 KiB"), pattern("16 KiB"))
expect_message { "CDC", from = "server", cons_wrap = 1, cons_count = 0 }
c:send("again")
expect(s:receive(5), "again")
wait "1 s"
