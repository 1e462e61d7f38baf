-- Version 2.1 over ISM: the Accept of a first contact has 130 bytes, that of a later one 78; both name the agreed EID and the CHID.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "SMC-D version 2.1 over ISM",
    source = "linux net/smc/smc_clc.h",
    requirements = { "CLC-023", "CLC-057", "CLC-059", "CLC-061", "SMCD-003", "SMCD-025" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", versions = { 2 }, devices = { { "ism", chid = 0x0701 } } }
host "server" { address = "10.0.0.2/24", machine = "m", versions = { 2 }, devices = { { "ism", chid = 0x0701 } } }
link("client", "server")
local c, s = connect(client, server)
expect(c.mode, "SMC-D")
expect(c.version, 2)
expect(c.release, 1)
expect_message { "CLC Proposal", from = "client", version = 2, typev1 = 2, typev2 = 3 }
local a = expect_message { "CLC Accept", from = "server", version = 2, length = 130, path = 1, first_contact = true, chid = 0x0701, release = 1 }
expect(a.eid, "SMCLAB.EID" .. string.rep(" ", 22))
expect_message { "CLC Confirm", from = "client", version = 2, length = 130, path = 1, chid = 0x0701, release = 1 }
expect_no_message { "CONFIRM LINK", within = "100 ms" }
transfer { from = c, to = s, bytes = "300 KiB", both_ways = true }

local c2, s2 = connect(client, server)
expect_message { "CLC Accept", from = "server", length = 78, first_contact = false, chid = 0x0701 }
expect_message { "CLC Confirm", from = "client", length = 78 }
expect(c2.group, c.group)
transfer { from = s2, to = c2, bytes = "100 KiB" }
expect_groups("client", 1)
expect_groups("server", 1)
