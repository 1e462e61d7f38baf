-- Four guests, each connected to each other three times over: the driver of the seed managed one connection.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Many connections and peers in one region",
    source = "seed 001 (own finding)",
    requirements = { "IVSHMEM-009", "SMCD-011", "SMCD-017", "DIBS-006" },
    targets = { "sim", "ns3" },
}

local names = { "a", "b", "c", "d" }
switch "sw"
for i, name in ipairs(names) do
    host(name) { address = "10.0.0." .. i .. "/24", machine = "m", devices = { "ivshmem" }, rmb = "32 KiB" }
    link(name, "sw")
    _G[name]:listen(5000)
end
local moving = {}
for _, from in ipairs(names) do
    for _, to in ipairs(names) do
        for n = 1, from ~= to and 3 or 0 do
            local x = _G[from]:connect(_G[to], 5000)
            local y = _G[to]:accept(5000)
            expect(x:connected(), "SMC-D")
            moving[#moving + 1] = transfer { from = x, to = y, bytes = 30000 + 1000 * n, both_ways = true, background = true, chunk = 5000 }
        end
    end
end
expect(#moving, 36)
for _, t in ipairs(moving) do t:finish() end
