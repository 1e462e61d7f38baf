-- Responses that nobody asked for, and requests that the role must not send.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Unsolicited responses",
    source = "RFC 7609 A.3; LLC-068",
    requirements = { "LLC-002", "LLC-009", "LLC-068", "LLC-082" },
    targets = { "sim", "ns3" },
    hostile = true,
}

for _, id in ipairs { "LLC-002", "ROCE-005" } do expect_finding { id = id, by = "client" } end
for _, id in ipairs { "LLC-002", "ROCE-005" } do expect_finding { id = id, by = "server" } end

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
    for _, name in ipairs { "CONFIRM LINK", "ADD LINK", "ADD LINK CONTINUATION", "CONFIRM RKEY", "CONFIRM RKEY CONTINUATION", "DELETE RKEY", "TEST LINK" } do
        for number = 0, 2 do
            local m = { name, response = true }
            if name ~= "TEST LINK" and name:sub(1, 12) ~= "CONFIRM RKEY" and name ~= "DELETE RKEY" then m.link_number = number end
            from:inject(m)
            wait "20 us"
        end
    end
    from:inject { "DELETE LINK", response = true, link_number = 1 }
    from:inject { "DELETE LINK", response = true, link_number = 9 }
    wait "20 us"
end
works(c, s)
wait "20 s"
works(c, s)
expect_links("client", 1)
