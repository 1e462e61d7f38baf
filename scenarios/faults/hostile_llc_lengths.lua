-- LLC messages of every type in wrong lengths, to both roles: they are dropped, and the connection lives.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "LLC messages of wrong lengths",
    source = "RFC 7609 A.3; A-42",
    requirements = { "LLC-001", "LLC-075" },
    targets = { "sim", "ns3" },
    hostile = true,
}

for _, id in ipairs { "LLC-001", "LLC-002", "LLC-004", "LLC-009", "LLC-011", "LLC-024", "LLC-029", "LLC-057", "LLC-058" } do expect_finding { id = id, by = "client" } end
for _, id in ipairs { "LLC-001", "LLC-002", "LLC-004", "LLC-011", "LLC-013", "LLC-020", "LLC-028" } do expect_finding { id = id, by = "server" } end

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
for type = 0, 10 do
    for _, length in ipairs { 1, 2, 3, 4, 5, 43 } do
        for _, response in ipairs { "\0", "\x80" } do
            local m = (string.char(type, length % 256) .. "\0" .. response .. ("\0"):rep(60)):sub(1, length)
            c:inject(m)
            s:inject(m)
            wait "20 us"
            -- As long as it must be, and says otherwise.
            m = string.char(type, length) .. "\0" .. response .. ("\0"):rep(40)
            if type ~= 4 then -- DELETE LINK is tried elsewhere
                c:inject(m)
                wait "20 us"
            end
        end
    end
end
works(c, s)
expect(c.error, nil)
