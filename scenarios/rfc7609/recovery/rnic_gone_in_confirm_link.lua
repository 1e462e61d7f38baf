-- The Confirm has come, and the RNIC leaves. Nothing was moved to RDMA yet.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The server's RNIC goes while the first link is confirmed",
    source = "RFC 7609 C.7.2",
    requirements = { "CLC-050", "LLC-065" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

server:listen(5000)
local c = client:connect(server, 5000)
expect_message { "CLC Confirm", from = "client" }
server:remove "roce eth0"
wait "8 s"
expect_groups("server", 0)
expect_groups("client", 0)
expect_true(c.mode == "TCP" or c.error ~= nil, "it fell back, or failed")
wait "1 s"
