-- Two guests on one region: an emulated CHID, the 128-bit GID in two entries, data both ways; the first guest has id 0.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A connection over shared memory",
    source = "seed 001; QEMU ivshmem-spec",
    requirements = { "IVSHMEM-002", "IVSHMEM-007", "CLC-070", "DIBS-018", "SMCD-003" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { "ivshmem" } }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { "ivshmem" } }
link("client", "server")
local c, s = connect(client, server)
expect(c.mode, "SMC-D")
expect(c.version, 2)
local p = expect_message { "CLC Proposal", from = "client" }
expect(p.gid_count, 2)
local a = expect_message { "CLC Accept", from = "server" }
expect_true(a.chid >= 0xff00 and a.chid < 0xffff, "no emulated CHID")
local f = expect_message { "CLC Confirm", from = "client" }
expect(f.chid, a.chid)
expect_true(f.gid == a.gid and f.gid_ext ~= a.gid_ext, "the region in the first half, who it is in the second")
transfer { from = c, to = s, bytes = "2 MiB", both_ways = true }
c:close()
s:at_end()
s:close()
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
