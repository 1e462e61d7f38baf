-- Two connections to one server share a group; towards the other direction there is a group of its own; version 1 and 2 do not share.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Only the server says first contact",
    source = "RFC 7609 3.5.2",
    requirements = { "CLC-032", "CLC-073" },
    targets = { "sim", "ns3", "vm" },
}

host "one" { address = "10.0.0.1/24" }
host "two" { address = "10.0.0.2/24" }
link("one", "two")
local c1, s1 = connect(one, two)
expect_message { "CLC Accept", from = "two", first_contact = true }
local c2, s2 = connect(one, two)
expect_message { "CLC Accept", from = "two", first_contact = false }
local c3, s3 = connect(two, one)
expect_message { "CLC Accept", from = "one", first_contact = true }
expect(c2.group, c1.group)
expect_groups("one", 2)
expect_groups("two", 2)
for _, p in ipairs { { c1, s1 }, { c2, s2 }, { c3, s3 } } do transfer { from = p[1], to = p[2], bytes = "100 KiB", both_ways = true } end
