-- Signals come late, and several as one: nothing is lost, for each says only "look".
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Signals delayed and coalesced",
    source = "devices/dibs_parts.h",
    requirements = { "SMCD-005", "SMCD-007" },
    targets = { "sim", "ns3" },
}

for _, kind in ipairs { "ism", "loopback", "ivshmem" } do
    local n = kind == "ism" and 10 or kind == "loopback" and 20 or 30
    host(kind .. "1") { address = "10.0." .. n .. ".1/24", machine = kind, devices = { { kind, name = "dev", signal_delay = "3 us" } }, rmb = "16 KiB" }
    host(kind .. "2") { address = "10.0." .. n .. ".2/24", machine = kind, devices = { { kind, name = "dev", signal_delay = "3 us" } }, rmb = "16 KiB" }
    link(kind .. "1", kind .. "2")
end
for _, ends in ipairs { { ism1, ism2 }, { loopback1, loopback2 }, { ivshmem1, ivshmem2 } } do
    local c, s = connect(ends[1], ends[2])
    expect(c.mode, "SMC-D")
    local t = transfer { from = c, to = s, bytes = "300 KiB", both_ways = true, chunk = 1000, background = true }
    for round = 1, 10 do
        wait "20 us"
        ends[1 + round % 2]:fault("dev", "signals", { hold = "100 us" })
    end
    t:finish()
    c:close()
    s:close()
    expect_state(c, "CLOSED")
    expect_state(s, "CLOSED")
end
