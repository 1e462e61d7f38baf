-- B-50: a device leaves while signals and events of it are held back, and comes again.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-50: a late interrupt finds the owner table, or nothing",
    source = "CVE-2026-74629",
    requirements = { "DIBS-003", "DIBS-020", "DIBS-024" },
    targets = { "sim", "ns3" },
}

for _, kind in ipairs { "ism", "loopback", "ivshmem" } do
    local a, b = kind .. "1", kind .. "2"
    local n = kind == "ism" and 10 or kind == "loopback" and 20 or 30
    host(a) { address = "10.0." .. n .. ".1/24", machine = kind, devices = { { kind, name = "dev" } } }
    host(b) { address = "10.0." .. n .. ".2/24", machine = kind, devices = { { kind, name = "dev" } } }
    link(a, b)
end
for _, ends in ipairs { { ism1, ism2 }, { loopback1, loopback2 }, { ivshmem1, ivshmem2 } } do
    local client, server = ends[1], ends[2]
    server:listen(5000)
    for us = 0, 30, 3 do
        local c, s = connect(client, server, 5000)
        expect(c.mode, "SMC-D")
        server:fault("dev", "signals", { hold = "50 us", copies = 3 })
        c:try_send(pattern(30000))
        s:try_send(pattern(30000))
        wait(us * 1000)
        server:remove "dev"
        wait "1 ms"
        expect_error(s, "RESET")
        expect_error(c, "RESET", { within = "60 s" })
        c:close()
        s:close()
        server:restore "dev"
        server:fault("dev", "signals", { hold = 0 })
        wait "1 s"
    end
    local c, s = connect(client, server, 5000)
    transfer { from = c, to = s, bytes = "20 KiB", both_ways = true }
end
