-- Client or server without SMC, or a socket that does not want it: no CLC byte, and bytes that look like CLC are the application's.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A plain TCP peer",
    source = "RFC 7609 3.1",
    requirements = { "TCPOPT-001", "TCPOPT-005" },
    targets = { "sim", "ns3", "vm" },
    hostile = true,
}

host "smc" { address = "10.0.0.1/24" }
host "plain" { address = "10.0.0.2/24", smc = false }
link("smc", "plain")
local clc = encode { "CLC Decline", diagnosis = 0x03030000 }
for _, ends in ipairs { { smc, plain }, { plain, smc } } do
    skip_messages()
    local c, s = connect(ends[1], ends[2])
    expect(c.mode, "TCP")
    expect(s.mode, "TCP")
    local syn = expect_message { "TCP SYN", from = ends[1] }
    expect(syn.data_length, ends[1] == smc and 6 or 0, "the option on the SYN")
    local answer = expect_message { "TCP SYN", from = ends[2] }
    expect(answer.data_length, 0, "the option on the SYN-ACK")
    expect_finding { id = "TCPOPT-005", by = "client" } -- who sees the network alone must think so
    expect_finding { id = "TCPOPT-005", by = "server" }
    c:send(clc)
    expect(s:receive(#clc), clc)
    s:send(clc)
    expect(c:receive(#clc), clc)
    transfer { from = c, to = s, bytes = "50 KiB", both_ways = true }
end
host "other" { address = "10.0.0.3/24" }
smc:interface "eth1" { address = "10.0.1.1/24" }
other:interface "eth1" { address = "10.0.1.3/24" }
link("smc.eth1", "other.eth1")
smc:listen(6000)
local c = other:connect("10.0.1.1", 6000, { tcp_only = true })
local s = smc:accept(6000)
expect(c:connected(), "TCP")
expect(s.mode, "TCP")
expect(count_messages { "CLC Proposal" }, 0)
