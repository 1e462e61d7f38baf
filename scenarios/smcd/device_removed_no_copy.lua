-- A container's loopback port is taken out during a transfer without copies: both ends see a reset, the other pair goes on.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The loopback leaves while DMBs are attached",
    source = "dibs include/linux/dibs.h",
    requirements = { "SMCD-019", "SMCD-028", "DIBS-003", "DIBS-020" },
    targets = { "sim", "ns3" },
}

for i, name in ipairs { "client", "server", "other" } do
    host(name) { address = "10.0.0." .. i .. "/24", machine = "m", no_copy = true, devices = { "loopback" } }
end
switch "sw"
for _, h in ipairs { client, server, other } do link(h, "sw") end
local c, s = connect(client, server)
local c2, s2 = connect(client, other)
expect(c.mode, "SMC-D")
expect(c2.mode, "SMC-D")
local lost = transfer { from = c, to = s, bytes = "16 MiB", background = true, write_delay = "10 us" }
local kept = transfer { from = c2, to = s2, bytes = "4 MiB", background = true, both_ways = true, write_delay = "10 us" }
wait "1 ms"
expect_true(lost:received() > 0, "nothing moved yet")
server:remove "loopback"
expect_error(s, "RESET")
expect_error(c, "RESET", { within = "5 s" })
c:close()
s:close()
kept:finish()
server:restore "loopback"
local c3, s3 = connect(client, server)
expect(c3.mode, "SMC-D")
transfer { from = c3, to = s3, bytes = "100 KiB", both_ways = true }
