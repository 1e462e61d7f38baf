-- A second link between the same two RNICs would survive nothing: the client rejects it, reason 1, and the group has one link.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Neither host has a second RNIC",
    source = "RFC 7609 3.5.1.6, A.3.2",
    requirements = { "LLC-023", "LLC-025" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
expect_message { "ADD LINK", from = "server", response = false }
expect_message { "ADD LINK", from = "client", response = true, reject = true, reject_reason = 1 }
expect(group("client").type, "SINGLE")
expect(group("server").type, "SINGLE")
expect(#group("server").links, 1)
transfer { from = c, to = s, bytes = "32 KiB" }
wait "1 s"
