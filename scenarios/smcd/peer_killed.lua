-- No word comes from the host that died: the fabric's device event ends the connections with it.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A host loses its power",
    source = "linux net/smc/smc_ism.c",
    requirements = { "SMCD-012", "IVSHMEM-013" },
    targets = { "sim", "ns3" },
}

for i, name in ipairs { "client", "dies", "stays" } do
    host(name) { address = "10.0.0." .. i .. "/24", machine = "m", devices = { "ivshmem" } }
end
switch "sw"
for _, h in ipairs { client, dies, stays } do link(h, "sw") end
local c1, s1 = connect(client, dies)
local c2, s2 = connect(client, stays)
expect(c1.mode, "SMC-D")
local moving = transfer { from = c2, to = s2, bytes = "1 MiB", both_ways = true, background = true, write_delay = "1 ms" }
dies:kill()
expect_error(c1, "RESET", { within = "10 s" })
expect_groups("client", 1)
moving:finish()
