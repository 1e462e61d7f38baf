-- Types that nobody knows: optional ones are dropped, the others too (Linux) or end the link (RFC).
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Unknown LLC types",
    source = "RFC 7609 A.3; A-16",
    requirements = { "LLC-003", "LLC-004", "LLC-005" },
    targets = { "sim", "ns3" },
    hostile = true,
}

for _, id in ipairs { "LLC-004", "LLC-005" } do expect_finding { id = id, by = "client" } end

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
host "strict" { address = "10.0.0.3/24", versions = { 1 }, profile = { "rfc", rmbe_eyecatcher = false } }
switch "sw"
for _, h in ipairs { "client", "server", "strict" } do link(h, "sw") end

local function works(c, s)
    c:send(pattern(20000, { seed = 7 }))
    expect(s:receive(20000), pattern(20000, { seed = 7 }))
    s:send(pattern(20000, { seed = 8 }))
    expect(c:receive(20000), pattern(20000, { seed = 8 }))
end

local c, s = connect(client, server)
for _, type in ipairs { 0x80, 0x81, 0xa5, 0xbf, 0x05, 0x0a, 0x1f, 0x3f, 0x40, 0x7f, 0xc0, 0xfd, 0xff, 0x22, 0x29 } do
    c:inject(string.char(type, 44) .. ("\0"):rep(42))
    wait "20 us"
end
works(c, s)

local c2, s2 = connect(client, strict)
works(c2, s2)
c2:inject(string.char(0x85, 44) .. ("\0"):rep(42)) -- optional
wait "1 ms"
works(c2, s2)
c2:inject(string.char(0x3f, 44) .. ("\0"):rep(42)) -- not
expect_error(s2, "RESET", { within = "5 s" })
works(c, s)
