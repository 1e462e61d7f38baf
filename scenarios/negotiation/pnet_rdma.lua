-- The second RNIC of each host is on another physical network: no second link is made over it, and where the first is missing
-- there is no SMC-R at all.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Only RNICs of the connection's physical network",
    source = "linux net/smc/smc_pnet.c",
    requirements = { "CLC-072" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", pnet = "NET1" }
host "server" { address = "10.0.0.2/24", pnet = "NET1" }
host "other" { address = "10.0.0.3/24", pnet = "NET1", roce = false }
client:interface "eth1" { address = "10.0.1.1/24", pnet = "NET2" }
server:interface "eth1" { address = "10.0.1.2/24", pnet = "NET2" }
other:interface "eth1" { address = "10.0.1.3/24", pnet = "NET2" }
switch "sw0"
switch "sw1"
for _, h in ipairs { "client", "server", "other" } do
    link(h, "sw0")
    link(h .. ".eth1", "sw1")
end

local c, s = connect(client, server)
expect(c.mode, "SMC-R")
wait "3 s"
expect_links("client", 1) -- eth1 is on another network
expect_links("server", 1)
c, s = connect(other, server)
expect(c.mode, "TCP", "the only RNIC is on another network")
wait "1 s"
