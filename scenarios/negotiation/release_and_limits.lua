-- SMC-Rv2: the server answers with the smaller release and, from release 1 on, with the smaller numbers of connections and links, which
-- the Confirm repeats; release 0 names none. Both sides then have them in their groups.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Release, connections and links of a group",
    source = "linux net/smc/smc_clc.c",
    requirements = { "CLC-059", "CLC-060", "CLC-065", "CLC-066", "CLC-067", "CLC-068" },
    targets = { "sim", "ns3" },
}

local n = 0
for _, r in ipairs { { 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 1 } } do
    for _, m in ipairs { { 255, 255, 2, 2 }, { 16, 255, 1, 2 }, { 200, 100, 2, 1 }, { 32, 32, 1, 1 } } do
        n = n + 1
        local names = { "client" .. n, "server" .. n }
        for k, name in ipairs(names) do
            host(name) { address = "10.0." .. n .. "." .. k .. "/24", versions = { 2 }, release = r[k], profile = { "linux", max_conns = m[k], max_links = m[k + 2] } }
        end
        link(names[1], names[2])
        local c, s = connect(_G[names[1]], _G[names[2]])
        local release, conns, links = math.min(r[1], r[2]), math.min(m[1], m[2]), math.min(m[3], m[4])
        if release == 0 then conns, links = 0, 0 end
        expect(c.mode, "SMC-R")
        expect(c.release, release)
        expect(s.release, release)
        expect_message { "CLC Proposal", from = names[1], release = r[1], max_conns = r[1] == 0 and 0 or m[1], max_links = r[1] == 0 and 0 or m[3] }
        expect_message { "CLC Accept", from = names[2], length = 160, release = release, max_conns = conns, max_links = links }
        expect_message { "CLC Confirm", from = names[1], length = 180, release = release, max_conns = conns, max_links = links }
        if release >= 1 then
            expect(group(names[1]).max_conns, conns)
            expect(group(names[2]).max_conns, conns)
            expect(group(names[1]).max_links, links)
            expect(group(names[2]).max_links, links)
        end
        transfer { from = c, to = s, bytes = "10 KiB", both_ways = true }
    end
end
