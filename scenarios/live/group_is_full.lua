-- 255 connections are one group's; the 256th makes a second one.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A group is full at 255 connections",
    source = "RFC 7609 2.2; SMC-Rv2 max_conns",
    requirements = { "CLC-011", "CLC-058" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24", versions = { 2 }, rmb = "16 KiB", sndbuf = "16 KiB" }
host "server" { address = "10.0.0.2/24", versions = { 2 }, rmb = "16 KiB", sndbuf = "16 KiB" }
link("client", "server", { mtu = 1500 })

local pairs_of = {}
for i = 1, 256 do
    local c, s = connect(client, server)
    expect(c.mode, "SMC-R")
    pairs_of[i] = { c, s }
    if i == 255 then expect(groups(client), 1, "groups after 255 connections") end
end
expect(groups(client), 2, "groups after 256 connections")
expect(groups(server), 2, "groups after 256 connections")
for i, p in ipairs(pairs_of) do
    local there, back = string.format("there %04d", i), string.format("back %04d", i)
    p[1]:send(there)
    p[2]:send(back)
end
for i, p in ipairs(pairs_of) do
    expect(p[2]:receive(10), string.format("there %04d", i))
    expect(p[1]:receive(9), string.format("back %04d", i))
end
for _, p in ipairs(pairs_of) do p[1]:close() end
for _, p in ipairs(pairs_of) do
    p[2]:at_end()
    p[2]:close()
end
for _, p in ipairs(pairs_of) do
    expect_state(p[1], "CLOSED")
    expect_state(p[2], "CLOSED")
end
wait "500 ms"
