-- One side knows release 0 only: the extension has 36 bytes, in Accept and Confirm, whoever the older one is.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "SMC-D version 2.0: the short first-contact extension",
    source = "linux net/smc/smc_clc.c",
    requirements = { "CLC-057", "CLC-059", "CLC-065" },
    targets = { "sim", "ns3" },
}

for i, r in ipairs { { 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 1 } } do
    local names = { "client" .. i, "server" .. i }
    for k, name in ipairs(names) do
        host(name) { address = "10.0." .. i .. "." .. k .. "/24", machine = "m", release = r[k], versions = { 2 }, devices = { "ism" } }
    end
    link(names[1], names[2])
    local c, s = connect(_G[names[1]], _G[names[2]])
    local agreed = math.min(r[1], r[2])
    expect(c.mode, "SMC-D")
    expect(c.release, agreed)
    expect(s.release, agreed)
    expect_message { "CLC Proposal", from = names[1], release = r[1] }
    expect_message { "CLC Accept", from = names[2], length = agreed == 0 and 114 or 130, release = agreed }
    expect_message { "CLC Confirm", from = names[1], length = agreed == 0 and 114 or 130, release = agreed }
    transfer { from = c, to = s, bytes = "20 KiB", both_ways = true }
end
