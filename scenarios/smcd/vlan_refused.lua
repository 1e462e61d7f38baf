-- The server's device refuses the VLAN of a version 1 connection: Decline 0x03090000, and TCP goes on.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A device that takes no VLAN id",
    source = "linux net/smc/smc_ism.c",
    requirements = { "SMCD-030", "CLC-055" },
    targets = { "sim", "ns3" },
}

for k, name in ipairs { "client", "server" } do
    local h = host(name) { versions = { 1 }, paths = { "D" }, machine = "m", devices = { "ism" } }
    h:interface "eth0" { address = "10.0.0." .. k .. "/24", vlan = 5 }
end
link("client", "server")
server:fault("ism", "vlan", { times = 10, error = "UNSUPPORTED" })
local c, s = connect(client, server)
expect(c.mode, "TCP")
expect(s.fallback, 0x03090000)
expect(c.peer_diagnosis, 0x03090000)
transfer { from = c, to = s, bytes = "30 KiB", both_ways = true }
