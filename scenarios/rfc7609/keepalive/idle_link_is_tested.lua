-- After 30 s without a message each side asks over the link, and is answered over the link with the same 16 bytes.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A link that is idle is tested",
    source = "RFC 7609 4.5.3, A.3.6",
    requirements = { "LLC-007", "LLC-062" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
wait_quiet()
skip_messages()
local asked = expect_message { "TEST LINK", response = false, within = "40 s" }
expect_message { "TEST LINK", response = true, user_data = asked.user_data }
expect(c.state, "ACTIVE")
wait "1 s"
