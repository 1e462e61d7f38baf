-- Two peers on one ISM function of the client. One is taken out: the event names it, and the other's transfer does not notice.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A peer that goes ends its own groups only",
    source = "linux net/smc/smc_ism.c (A-43)",
    requirements = { "SMCD-012", "SMCD-013", "SMCD-027", "DIBS-007" },
    targets = { "sim", "ns3" },
}

for i, name in ipairs { "client", "leaves", "stays" } do
    host(name) { address = "10.0.0." .. i .. "/24", machine = "m", devices = { "ism" } }
end
switch "sw"
for _, h in ipairs { client, leaves, stays } do link(h, "sw") end
local c1, s1 = connect(client, leaves)
local c2, s2 = connect(client, stays)
expect(c1.mode, "SMC-D")
expect(c2.mode, "SMC-D")
local moving = transfer { from = c2, to = s2, bytes = "8 MiB", both_ways = true, background = true, write_delay = "10 us" }
wait "500 us"
leaves:remove "ism"
expect_error(c1, "RESET", { within = "1 s" })
expect_groups("client", 1)
moving:finish()
expect(c2.error, nil)
expect(c2.state, "ACTIVE")
expect_message { "SMC-D event", from = "leaves" }
