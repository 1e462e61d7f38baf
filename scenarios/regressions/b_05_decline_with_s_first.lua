-- B-05 (CVE-2026-46027): the answer to the Proposal is a Decline that says "out of sync", when there is no link group yet.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-05: out of sync with what?",
    source = "CVE-2026-46027",
    requirements = { "CLC-012" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")
server:listen(5000)

server:edit { "CLC Accept", bytes = function() return encode { "CLC Decline", version = 2, out_of_sync = true, diagnosis = 0x04000000 } end }
local c = client:connect(server, 5000)
expect(c:connected(), "TCP")
expect(c.peer_diagnosis, 0x04000000)
c:close()
wait "20 s"

local c2, s2 = connect(client, server, 5000)
expect(c2.mode, "SMC-R")
transfer { from = c2, to = s2, bytes = "10 KiB", both_ways = true }
