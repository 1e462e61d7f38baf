-- The client's cable takes frames of 1500 bytes, the server's of 9000. Each side offers what it can; the link uses the smaller
-- one, which the Confirm names.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The smaller of both MTUs is used",
    source = "RFC 7609 A.2.2",
    requirements = { "CLC-034", "CLC-035" },
    targets = { "sim", "ns3", "vm" },
    roles = { "server" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
switch "sw0"
link("client", "sw0", { mtu = 1500 })
link("server", "sw0", { mtu = 9000 })

local c, s = connect(client, server)
expect_message { "CLC Accept", mtu = 5 }     -- 4096 bytes
expect_message { "CLC Confirm", mtu = 3 }    -- 1024 bytes
transfer { from = c, to = s, bytes = "64 KiB", both_ways = true }
wait "1 s"
