-- Each CDC carries the consumer cursor of the other direction as well, so busy connections need few messages for it.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Both directions at once",
    source = "RFC 7609 4.4",
    requirements = { "CDC-009", "CURSOR-001" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
transfer { from = c, to = s, bytes = "512 KiB", both_ways = true }
wait "1 s"
