-- Version 1 over ISM: Accept and Confirm of 48 bytes, data moved without a signal, the CDC block with one.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "SMC-D version 1 over ISM",
    source = "linux net/smc/smc_clc.h",
    requirements = { "CLC-056", "SMCD-001", "SMCD-002", "SMCD-003", "SMCD-006" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", versions = { 1 }, paths = { "D" }, devices = { { "ism", gid = 0x1111 } } }
host "server" { address = "10.0.0.2/24", machine = "m", versions = { 1 }, paths = { "D" }, devices = { { "ism", gid = 0x2222 } } }
link("client", "server")
local c, s = connect(client, server)
expect(c.mode, "SMC-D")
expect(c.version, 1)
local p = expect_message { "CLC Proposal", from = "client", typev1 = 1 }
expect(p.iparea_offset, 40)
expect_message { "CLC Accept", from = "server", version = 1, length = 48, path = 1, first_contact = true, dmbe_index = 0 }
expect_message { "CLC Confirm", from = "client", version = 1, length = 48, path = 1 }
expect(count_messages { "CONFIRM LINK" }, 0)
expect(c.rmb_bytes % 4096, 0, "a DMB is whole pages")

skip_messages()
c:send("hello")
expect(s:receive(5), "hello")
expect_message { "SMC-D move", from = "client", offset = 32, total = 5, signal = false }
expect_message { "SMC-D move", from = "client", offset = 0, total = 32, signal = true }
transfer { from = c, to = s, bytes = "200 KiB", both_ways = true }
c:close()
s:at_end()
s:close()
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
