-- Floods: thousands of requests, faster than they can be answered: the host stays alive, and the connection.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Floods of LLC messages",
    source = "RFC 7609 A.3",
    requirements = { "LLC-007", "LLC-062", "LLC-072" },
    targets = { "sim", "ns3" },
    hostile = true,
}

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
local c2, s2 = connect(client, server)
for _, name in ipairs { "TEST LINK", "CONFIRM RKEY", "DELETE RKEY", "ADD LINK" } do
    for i = 1, 400 do
        local m = { name }
        if name == "DELETE RKEY" then m.count, m.rkey1 = 1, 0x300000 + i end
        if name == "CONFIRM RKEY" then m.rkey, m.va = 0x300000 + i % 50, 0x10000 * i end
        c:inject(m)
        wait(i % 8 == 0 and "20 us" or "200 ns")
    end
    wait "10 ms"
    works(c2, s2)
end
