-- Two hosts on one link with other subnets in mind (masks of other lengths): Decline 0x03070000 for version 1; version 2 goes on.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Version 1 needs a common subnet, version 2 does not",
    source = "RFC 7609 3.5.1.2; linux net/smc/smc_clc.c",
    requirements = { "CLC-020", "CLC-021", "CLC-055" },
    targets = { "sim", "ns3" },
}

local cases = { { { 1 }, "10.0.0.1/24", "10.0.0.2/24", "SMC-R" }, { { 1 }, "10.0.0.1/16", "10.0.0.2/24", "TCP" }, { { 1 }, "10.0.0.1/24", "10.0.0.2/25", "TCP" },
                { { 2 }, "10.0.0.1/16", "10.0.0.2/24", "SMC-R" }, { { 1, 2 }, "10.0.0.1/16", "10.0.0.2/24", "SMC-R" },
                { { 1 }, "2001:db8::1/64", "2001:db8::2/64", "SMC-R" } }
for i, case in ipairs(cases) do
    local names = { "client" .. i, "server" .. i }
    for k, name in ipairs(names) do host(name) { address = case[k + 1], versions = case[1], paths = { "R" } } end
    link(names[1], names[2])
    local c, s = connect(_G[names[1]], _G[names[2]])
    expect(c.mode, case[4], "case " .. i)
    if case[4] == "TCP" then
        expect(s.fallback, 0x03070000, "case " .. i)
        expect(c.peer_diagnosis, 0x03070000, "case " .. i)
    end
    transfer { from = c, to = s, bytes = "20 KiB", both_ways = true }
end
