-- Every hundredth frame is lost in either direction while both sides send; RoCE sends again, and every byte is compared.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Both ways at once over a network that loses frames",
    source = "RFC 7609 4.6",
    requirements = { "CURSOR-001", "CURSOR-003", "CDC-007" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24", versions = { 2 } }
host "server" { address = "10.0.0.2/24", versions = { 2 } }
local wire = link("client", "server", { mtu = 1500 })

local c, s = connect(client, server)
expect(c.mode, "SMC-R")
wire:loss("1 %")
transfer { from = c, to = s, bytes = "8 MiB", both_ways = true, within = "120 s" }
wire:clear()
c:close()
s:at_end()
s:close()
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
wait "500 ms"
