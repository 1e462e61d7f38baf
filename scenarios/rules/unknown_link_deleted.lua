-- The server asks for the end of a link that never was: the client answers with the reason for that, and no link ends.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "DELETE LINK with a number that no link has",
    source = "RFC 7609 A.3.4",
    requirements = { "LLC-035", "LLC-037" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")
local c, s = connect(client, server)
local function echo()
    c:send(pattern(20000))
    expect(s:receive(20000), pattern(20000))
    s:send(pattern(20000))
    expect(c:receive(20000), pattern(20000))
end
echo()
s:inject { "DELETE LINK", response = false, orderly = true, link_number = 9, reason = 0x00010000 }
expect_message { "DELETE LINK", from = "client", response = true, reason = 0x00100000 }
echo()
expect_links("client", 1)
