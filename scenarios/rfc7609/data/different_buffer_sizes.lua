-- The client's element has 16 KiB, the server's 128 KiB: a cursor is bounded by the size of the element that it points into.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Each side has its own buffer size",
    source = "RFC 7609 2.3, A.2.2",
    requirements = { "CLC-033", "CURSOR-006", "CURSOR-025" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, rmb = "16 KiB" }
host "server" { address = "10.0.0.2/24", versions = { 1 }, rmb = "128 KiB" }
link("client", "server")

local c, s = connect(client, server)
expect_message { "CLC Accept", bsize = 3 }
expect_message { "CLC Confirm", bsize = 0 }
transfer { from = c, to = s, bytes = "400 KiB", both_ways = true }
wait "1 s"
