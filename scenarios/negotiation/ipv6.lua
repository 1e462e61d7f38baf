-- On IPv6 the Proposal names prefixes. Version 1 needs a common one; SMC-Rv2 is not offered on IPv6, SMC-D is.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Over IPv6",
    source = "linux net/smc/smc_clc.c; RFC 7609 A.2.2",
    requirements = { "CLC-018", "CLC-021" },
    targets = { "sim", "ns3" },
}

host "client" { address = "2001:db8::1/64 2001:db8:5::1/48", machine = "m" }
host "server" { address = "2001:db8::2/64 2001:db8:6::2/48", machine = "m" }
link("client", "server")
local c, s = connect(client, server)
expect(c.mode, "SMC-R")
expect(c.version, 1)
local p = expect_message { "CLC Proposal", from = "client" }
expect(p.prefix_count, 2)
expect(p.mask_len, 0)
transfer { from = c, to = s, bytes = "300 KiB", both_ways = true }

client:device "ism" {}
server:device "ism" {}
c, s = connect(client, server)
expect(c.mode, "SMC-D")
transfer { from = c, to = s, bytes = "300 KiB", both_ways = true }
