-- A host with loopback, ivshmem and ISM meets three that have one of them each: the same client of the registry serves all.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "One host with every kind of device",
    source = "seed 003",
    requirements = { "DIBS-001", "DIBS-006", "DIBS-018", "CLC-072" },
    targets = { "sim", "ns3" },
}

host "all" { address = "10.0.0.1/24", machine = "m", devices = { "loopback", "ivshmem", "ism" } }
host "lo" { address = "10.0.0.2/24", machine = "m", devices = { "loopback" } }
host "iv" { address = "10.0.0.3/24", machine = "m", devices = { "ivshmem" } }
host "is" { address = "10.0.0.4/24", machine = "m", devices = { "ism" } }
switch "sw"
for _, h in ipairs { all, lo, iv, is } do link(h, "sw") end
local moving = {}
for _, peer in ipairs { lo, iv, is } do
    for _, ends in ipairs { { all, peer }, { peer, all } } do
        local c, s = connect(ends[1], ends[2])
        expect(c.mode, "SMC-D", ends[1].name .. " to " .. ends[2].name)
        moving[#moving + 1] = transfer { from = c, to = s, bytes = "300 KiB", both_ways = true, background = true }
    end
end
for _, t in ipairs(moving) do t:finish() end
local c, s = connect(lo, iv)
expect(c.mode, "SMC-R", "nothing in common but Ethernet")
