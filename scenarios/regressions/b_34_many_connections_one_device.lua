-- B-34: several connections over one ivshmem: each has a DMB of its own, and its own bytes.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-34: connections do not share a DMB",
    source = "ivpci patch of ivshmem (RFC)",
    requirements = { "SMCD-002", "IVSHMEM-010" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { { "ivshmem", name = "dev" } } }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { { "ivshmem", name = "dev" } } }
link("client", "server")
server:listen(5000)

local pairs_, held = {}, {}
for i = 1, 12 do
    local c, s = connect(client, server, 5000)
    expect(c.mode, "SMC-D")
    if i % 2 == 0 then -- all of them are written before any is read
        pairs_[i] = { finish = function() end }
        for k = 2, i, 2 do
            if k == i then held[i] = { c, s } end
            held[k][1]:send(pattern(3000, { seed = 50 * i + k }))
        end
        for k = 2, i, 2 do expect(held[k][2]:receive(3000), pattern(3000, { seed = 50 * i + k })) end
    else
        pairs_[i] = transfer { from = c, to = s, bytes = "200 KiB", both_ways = true, background = true, chunk = 1000 * i, read_chunk = 900 * i }
    end
end
for i = 1, 12 do pairs_[i]:finish() end
