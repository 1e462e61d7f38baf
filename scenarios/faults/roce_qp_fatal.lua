-- A queue pair fails at the n-th operation: with a second link the connections move, without they end.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "QP_FATAL",
    source = "RFC 7609 4.6; devices/roce.h QP_FATAL",
    requirements = { "FAILOVER-001", "FAILOVER-012" },
    targets = { "sim", "ns3" },
}

local function works(c, s)
    c:send(pattern(20000, { seed = 7 }))
    expect(s:receive(20000), pattern(20000, { seed = 7 }))
    s:send(pattern(20000, { seed = 8 }))
    expect(c:receive(20000), pattern(20000, { seed = 8 }))
end

switch "sw"
for nth = 1, 19, 3 do
    local ends = {}
    for i, name in ipairs { "client" .. nth, "server" .. nth } do
        ends[i] = host(name) { address = "10.0." .. nth .. "." .. i .. "/24" }
        ends[i]:interface "eth1" { address = "10.0." .. nth .. ".1" .. i .. "/24" }
        link(name, "sw")
        link(name .. ".eth1", "sw")
    end
    local c, s = connect(ends[1], ends[2], 5000)
    expect_links(ends[1].name, 2)
    local who = ends[1 + nth % 2]
    who:roce_fault("eth0", { "qp fatal", first = nth })
    transfer { from = c, to = s, bytes = "200 KiB", both_ways = true, chunk = 3000, write_delay = "20 us" }
    c:close()
    s:close()
    expect_state(c, "CLOSED", { within = "60 s" })
    expect_state(s, "CLOSED", { within = "60 s" })
end

host "client" { address = "10.1.0.1/24" }
host "server" { address = "10.1.0.2/24" }
link("client", "server")
-- The only link.
local c, s = connect(client, server, 5000)
works(c, s)
client:roce_fault("eth0", { "qp fatal" })
c:send(pattern(1000))
expect_error(c, "RESET", { within = "60 s" })
expect_error(s, "RESET", { within = "60 s" })
