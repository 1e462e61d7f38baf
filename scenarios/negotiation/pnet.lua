-- PNET ids: the ISM function of another physical network is not offered; where no device has that of the interface there is no SMC.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Only devices of the connection's physical network",
    source = "linux net/smc/smc_pnet.c",
    requirements = { "CLC-072", "SMCD-025" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", pnet = "NET1", devices = { { "ism", pnet = "NET1" } } }
host "server" { address = "10.0.0.2/24", machine = "m", pnet = "NET1", devices = { { "ism", pnet = "NET2" } } }
host "right" { address = "10.0.0.3/24", machine = "m", pnet = "NET1", devices = { { "ism", pnet = "NET1" } } }
host "wrong" { address = "10.0.0.4/24", machine = "m", pnet = "NET3", paths = { "D" }, devices = { { "ism", pnet = "NET2" } } }
switch "sw"
for _, h in ipairs { client, server, right, wrong } do link(h, "sw") end
local c, s = connect(client, server)
expect(c.mode, "SMC-R", "the server's ISM function is on another network")
c, s = connect(client, right)
expect(c.mode, "SMC-D")
c, s = connect(client, wrong)
expect(c.mode, "TCP")
expect(s.fallback, 0x03030007)
c, s = connect(wrong, client)
expect(c.mode, "TCP")
expect(c.fallback, 0x03030000)
