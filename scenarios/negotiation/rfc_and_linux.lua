-- An endpoint that knows RFC 7609 alone against one of Linux, in both roles: version 1 of SMC-R is what they have in common.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The RFC's world and Linux'",
    source = "RFC 7609 A.2; linux net/smc/smc_clc.h",
    requirements = { "CLC-004", "CLC-015", "CLC-017" },
    targets = { "sim", "ns3" },
}

host "rfc" { address = "10.0.0.1/24", profile = "rfc", versions = { 1 }, paths = { "R" } }
host "linux" { address = "10.0.0.2/24", machine = "m", devices = { "ism" } }
host "mild" { address = "10.0.0.3/24", profile = { "rfc", rmbe_eyecatcher = false }, versions = { 1 }, paths = { "R" } }
host "rfc2" { address = "10.0.0.4/24", profile = "rfc", versions = { 1 }, paths = { "R" } }
switch "sw"
for _, h in ipairs { rfc, rfc2, linux, mild } do link(h, "sw") end
-- Linux has no eyecatcher in its elements and wants none: it finds out at CONFIRM LINK.
for _, ends in ipairs { { rfc, linux }, { linux, rfc } } do
    local c, s = connect(ends[1], ends[2])
    local what = ends[1].name .. " to " .. ends[2].name
    expect(c.mode, "TCP", what)
    expect(ends[1] == linux and c.fallback or s.fallback, 0x03050000, what)
    transfer { from = c, to = s, bytes = "20 KiB", both_ways = true }
end
for _, ends in ipairs { { mild, linux }, { linux, mild }, { rfc, rfc2 }, { rfc2, rfc } } do
    skip_messages()
    local c, s = connect(ends[1], ends[2])
    local what = ends[1].name .. " to " .. ends[2].name
    expect(c.mode, "SMC-R", what)
    expect(c.version, 1)
    local p = expect_message { "CLC Proposal", from = ends[1] }
    if ends[1] ~= linux then expect(p.length, 52) end
    expect_message { "CLC Accept", from = ends[2], version = 1, length = 68 }
    transfer { from = c, to = s, bytes = "200 KiB", both_ways = true }
end
