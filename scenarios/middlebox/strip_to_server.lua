-- The server sees no option and gives none: both are in plain TCP.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The option is lost on the SYN",
    source = "RFC 7609 3.1",
    requirements = {},
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
middlebox("client", "server", "strip to server")
local c, s = connect(client, server)
expect(c.mode, "TCP")
expect(s.mode, "TCP")
expect_message { "TCP SYN", from = "server", data_length = 0 }
transfer { from = c, to = s, bytes = "200 KiB", both_ways = true }
expect(count_messages { "CLC Proposal" }, 0)
