-- 200 KiB through an element of 16 KiB, read in pieces of 1000 bytes every 100 us. Nothing is overwritten.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A slow reader holds the writer back",
    source = "RFC 7609 4.5.1",
    requirements = { "CURSOR-001", "CURSOR-003", "CURSOR-010", "CURSOR-026" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server, 5000, { rmb = "16 KiB" })
transfer { from = c, to = s, bytes = "200 KiB", read_chunk = 1000, read_delay = "100 us" }
wait "1 s"
