-- Groups belong to pairs of hosts. Nothing of one is used for the other.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A client of two servers has two link groups",
    source = "RFC 7609 2.2",
    requirements = { "CLC-032", "CLC-014", "CLC-055" },
    targets = { "sim", "ns3", "vm" },
    roles = { "server1" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server1" { address = "10.0.0.2/24", versions = { 1 } }
host "server2" { address = "10.0.0.3/24", versions = { 1 } }
switch "sw0"
link("client", "sw0")
link("server1", "sw0")
link("server2", "sw0")

local c1, s1 = connect(client, server1)
local c2, s2 = connect(client, server2)
expect(c1.mode, "SMC-R")
expect(c2.mode, "SMC-R")
expect_true(c1.group ~= c2.group, "two groups")
expect_groups("client", 2)
expect_groups("server1", 1)
expect(count_messages { "CLC Accept", first_contact = true }, 2)
c1:send("to one")
c2:send("to two")
expect(s1:receive(6), "to one")
expect(s2:receive(6), "to two")
wait "1 s"
