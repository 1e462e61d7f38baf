-- A socket with Fast Open asked for: no SMC, whoever asks.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "TCP Fast Open forces TCP",
    source = "linux net/smc/af_smc.c",
    requirements = { "TCPOPT-009", "CLC-055" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")
server:listen(5000)
server:listen(5001, { fast_open = true })
local c = client:connect(server, 5000, { fast_open = true })
local s = server:accept(5000)
expect(c:connected(), "TCP")
expect(s.mode, "TCP")
expect(c.fallback, 0x03060000)
transfer { from = c, to = s, bytes = "50 KiB", both_ways = true }
c = client:connect(server, 5001)
s = server:accept(5001)
expect(c:connected(), "TCP")
expect(s.fallback, 0x03060000)
transfer { from = c, to = s, bytes = "50 KiB", both_ways = true }
c, s = connect(client, server, 5002)
expect(c.mode, "SMC-R", "other sockets are not touched")
