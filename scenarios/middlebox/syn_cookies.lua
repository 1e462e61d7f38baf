-- A box that answers SYNs by cookies keeps no options: connections are plain TCP, and work.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "SYN cookies",
    source = "RFC 7609 3.5.1.1",
    requirements = { "TCPOPT-005" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
middlebox("client", "server", "syn cookies")
for n = 1, 5 do
    local c, s = connect(client, server)
    expect(c.mode, "TCP")
    expect(s.mode, "TCP")
    transfer { from = c, to = s, bytes = "50 KiB", both_ways = true }
    c:close()
    s:close()
end
expect(count_messages { "CLC Proposal" }, 0)
