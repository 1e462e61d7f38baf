-- Everything on offer, taken away piece by piece: SMC-Dv2, SMC-Dv1, SMC-Rv2, SMC-Rv1, TCP, in this order.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Hosts with SMC-D and SMC-R take what both have",
    source = "linux net/smc/af_smc.c",
    requirements = { "CLC-072", "SMCD-025" },
    targets = { "sim", "ns3" },
}

local cases = {
    { { 1, 2 }, { "ism" }, true, "SMC-D", 2 },
    { { 1 }, { "ism" }, true, "SMC-D", 1 },
    { { 1, 2 }, {}, true, "SMC-R", 2 },
    { { 1 }, {}, true, "SMC-R", 1 },
    { { 1, 2 }, {}, "v1", "SMC-R", 1 },
    { { 1, 2 }, {}, false, "TCP", 0 },
}
for i, case in ipairs(cases) do
    local c_name, s_name = "client" .. i, "server" .. i
    host(c_name) { address = "10.0." .. i .. ".1/24", machine = "m", devices = { "ism" } }
    host(s_name) { address = "10.0." .. i .. ".2/24", machine = "m", versions = case[1], devices = case[2], roce = case[3] }
    link(c_name, s_name)
    local c, s = connect(_G[c_name], _G[s_name])
    expect(c.mode, case[4], "case " .. i)
    expect(s.mode, case[4], "case " .. i)
    if case[4] ~= "TCP" then expect(c.version, case[5], "case " .. i) end
    transfer { from = c, to = s, bytes = "30 KiB", both_ways = true }
end
