-- One address, two servers in turn: the client makes a group with each of them by their peer ids, not by the address.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A load balancer before two SMC servers",
    source = "RFC 7609 A.2.1; 2.2.3",
    requirements = { "CLC-014", "CLC-032", "CLC-073" },
    targets = { "sim", "ns3", "vm" },
    roles = { "server1" },
}

host "client" { address = "10.0.0.1/24" }
host "server1" { address = "10.0.0.11/24" }
host "server2" { address = "10.0.0.12/24" }
switch "sw"
local _, _, box = middlebox("client", "sw", "balance")
link("server1", "sw")
link("server2", "sw")
balance(box, "10.0.0.100", { server1, server2 })
server1:listen(5000)
server2:listen(5000)
local ends = {}
for n = 1, 4 do
    local c = client:connect("10.0.0.100", 5000)
    local server = n % 2 == 1 and server1 or server2
    local s = server:accept(5000)
    expect(c:connected(), "SMC-R", "connection " .. n)
    ends[n] = { c, s }
end
expect_groups("client", 2)
expect_groups("server1", 1)
expect_groups("server2", 1)
expect(ends[3][1].group, ends[1][1].group)
expect(ends[4][1].group, ends[2][1].group)
expect_true(ends[1][1].group ~= ends[2][1].group, "two servers share a group")
for _, p in ipairs(ends) do transfer { from = p[1], to = p[2], bytes = "100 KiB", both_ways = true } end
