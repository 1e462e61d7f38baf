-- The server's cable takes the smaller frames: its Accept says so, and the client's Confirm names not its own MTU but that of the link.
-- So does its answer to ADD LINK, for the second link.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The server's smaller MTU is confirmed",
    source = "RFC 7609 A.2.3, A.3.2; linux net/smc/smc_clc.c",
    requirements = { "CLC-034", "CLC-035" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
switch "sw0"
switch "sw1"
link("client", "sw0", { mtu = 9000 })
link("server", "sw0", { mtu = 1500 })
link("client.eth1", "sw1", { mtu = 9000 })
link("server.eth1", "sw1", { mtu = 1500 })

local c, s = connect(client, server)
expect_message { "CLC Accept", mtu = 3 }     -- 1024 bytes
expect_message { "CLC Confirm", mtu = 3 }    -- the client alone could take 4096
expect_message { "ADD LINK", from = "server", mtu = 3, after = 0 }
expect_message { "ADD LINK", from = "client", response = true, mtu = 3 }
transfer { from = c, to = s, bytes = "64 KiB", both_ways = true }
wait "1 s"
