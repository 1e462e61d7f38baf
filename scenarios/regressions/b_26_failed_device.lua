-- B-26: a device could not be added: nobody may find it afterwards.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-26: a device that failed to register is in no list",
    source = "linux 40588782f101",
    requirements = { "DIBS-019" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { { "ism", name = "good", gid = 0x1111, chid = 0x07c0 } } }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { { "ism", name = "good", gid = 0x2222, chid = 0x07c0 } } }
link("client", "server")

-- A GID can be there once: the second device is refused, and the first one serves.
for _, h in ipairs { client, server } do
    h:remove "good"
    h:restore "good"
    expect_true(not pcall(function() h:device "ism" { name = "bad", gid = h == client and 0x1111 or 0x2222, chid = 0x07c1 } end), "a GID was taken twice")
end
local c, s = connect(client, server)
expect(c.mode, "SMC-D")
transfer { from = c, to = s, bytes = "10 KiB", both_ways = true }
