-- Counts of 255, numbers of links that do not exist, keys of nobody: each is refused or dropped.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Counts, link numbers and keys of nobody",
    source = "RFC 7609 A.3",
    requirements = { "LLC-029", "LLC-030", "LLC-055", "LLC-056", "LLC-058", "LLC-059" },
    targets = { "sim", "ns3" },
    hostile = true,
}

for _, id in ipairs { "LLC-050", "LLC-051", "LLC-056", "LLC-057", "LLC-058" } do expect_finding { id = id, by = "client" } end
for _, id in ipairs { "LLC-002", "LLC-050", "LLC-051", "LLC-056", "LLC-057", "LLC-058" } do expect_finding { id = id, by = "server" } end

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local function works(c, s)
    c:send(pattern(20000, { seed = 7 }))
    expect(s:receive(20000), pattern(20000, { seed = 7 }))
    s:send(pattern(20000, { seed = 8 }))
    expect(c:receive(20000), pattern(20000, { seed = 8 }))
end

local c, s = connect(client, server)
works(c, s)
for _, from in ipairs { c, s } do
    for _, n in ipairs { 0, 3, 9, 255 } do
        from:inject { "CONFIRM RKEY", other_count = n, rkey = 0x1000 + n, va = 0xffffffffffff0000, link1 = 77, link2 = 255 }
        wait "50 us"
        from:inject { "CONFIRM RKEY CONTINUATION", rtoken_count = n, link1 = 88, rkey1 = 5 }
        wait "50 us"
        from:inject { "DELETE RKEY", count = n, rkey1 = 0xdeadbeef, rkey8 = 1 }
        wait "50 us"
        from:inject { "ADD LINK CONTINUATION", rtoken_count = n, link_number = n, ref_rkey1 = 1, new_rkey1 = 2 }
        wait "50 us"
    end
end
works(c, s)
c:inject { "DELETE LINK", link_number = 200, reason = 0x00040000 }
s:inject { "DELETE LINK", link_number = 200, reason = 0x00040000 }
wait "5 s"
works(c, s)
-- Far more RMBs than a group may have.
for i = 1, 300 do
    c:inject { "CONFIRM RKEY", rkey = 0x20000 + i, va = i << 20 }
    wait "20 us"
end
works(c, s)
