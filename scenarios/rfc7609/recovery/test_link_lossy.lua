-- A cable loses the first copies of CONFIRM LINK and TEST LINK. The RNICs send again; nothing of it is seen above.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A lost frame is no lost message",
    source = "RFC 7609 C.7",
    requirements = { "LLC-062", "LLC-064" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
local cable = link("client", "server")

cable:drop { "CONFIRM LINK", from = "server" }
cable:drop { "TEST LINK" }
local c, s = connect(client, server)
expect(c.mode, "SMC-R")
expect_message { "TEST LINK", response = true, within = "60 s" }
expect(c.state, "ACTIVE")
expect(count_messages { "DELETE LINK" }, 0)
wait "1 s"
