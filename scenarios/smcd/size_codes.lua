-- 16 KiB to 1 MiB by code 0 to 6; more than 1 MiB is not offered.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Sizes of DMBs",
    source = "linux net/smc/smc_core.c",
    requirements = { "SMCD-026" },
    targets = { "sim", "ns3" },
}

for code = 0, 8 do
    local bytes = 16384 << code
    local names = { "client" .. code, "server" .. code }
    for k, name in ipairs(names) do
        host(name) { address = "10.0." .. code .. "." .. k .. "/24", machine = "m", devices = { "ism" }, rmb = bytes }
    end
    link(names[1], names[2])
    local c, s = connect(_G[names[1]], _G[names[2]])
    expect(c.mode, "SMC-D")
    expect_message { "CLC Accept", from = names[2], bsize = math.min(code, 6) }
    expect(s.rmb_bytes, math.min(bytes, 1 << 20))
    transfer { from = c, to = s, bytes = 2 * math.min(bytes, 1 << 20) + 1 }
end
