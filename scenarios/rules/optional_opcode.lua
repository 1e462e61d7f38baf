-- An LLC message whose type begins with the bits 10 is for those who know it; whoever does not discards it, and the link stays.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "An unknown optional LLC message is discarded",
    source = "RFC 7609 A.3",
    requirements = { "LLC-003" },
    targets = { "sim", "ns3" },
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
for _, from in ipairs { c, s } do
    from:inject(string.char(0x8f, 44) .. string.rep("\0", 42))
    wait "10 ms"
    echo()
end
c:inject { "TEST LINK", response = false }
expect_message { "TEST LINK", from = "server", response = true }
expect_links("client", 1)
expect_links("server", 1)
