-- One side reads 700 bytes every 50 microseconds, on ISM, loopback with and without copies, and ivshmem.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A slow reader loses nothing",
    source = "linux net/smc/smc_rx.c",
    requirements = { "SMCD-002", "SMCD-003", "SMCD-007" },
    targets = { "sim", "ns3" },
}

for i, kind in ipairs { "ism", "loopback", "loopback", "ivshmem" } do
    local names = { "client" .. i, "server" .. i }
    for k, name in ipairs(names) do
        host(name) { address = "10.0." .. i .. "." .. k .. "/24", machine = "m" .. i, no_copy = i == 3, rmb = "16 KiB", devices = { kind } }
    end
    link(names[1], names[2])
    local c, s = connect(_G[names[1]], _G[names[2]])
    expect(c.mode, "SMC-D")
    transfer { from = c, to = s, bytes = "256 KiB", read_chunk = 700, read_delay = "50 us", both_ways = true }
    expect(s.rx_bytes, 256 * 1024)
end
