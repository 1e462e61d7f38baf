-- No option reaches either side: plain TCP, no CLC byte.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A middlebox that strips the option both ways",
    source = "RFC 7609 3.1",
    requirements = {},
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
middlebox("client", "server", "strip")
local c, s = connect(client, server)
expect(c.mode, "TCP")
expect(s.mode, "TCP")
expect(s.fallback, 0x03010000)
transfer { from = c, to = s, bytes = "200 KiB", both_ways = true }
expect(count_messages { "CLC Proposal" } + count_messages { "CLC Decline" }, 0)
expect_message { "TCP SYN", from = "server", data_length = 0 }
