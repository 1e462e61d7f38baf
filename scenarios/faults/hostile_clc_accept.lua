-- A server answers by an Accept that no server may send: each is declined, or ends the connection; none is believed.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Accepts that must be declined",
    source = "RFC 7609 A.2.3, C.6",
    requirements = { "CLC-009", "CLC-033", "CLC-036", "CLC-037", "CLC-076", "CLC-078" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
    hostile = true,
}

for _, id in ipairs { "CLC-001", "CLC-004", "CLC-009", "CLC-023", "CLC-031", "CLC-033", "CLC-037", "CLC-057", "CLC-058", "CLC-060", "CLC-061", "CLC-065", "CLC-066", "CLC-067", "LLC-011", "LLC-032", "LLC-075" } do expect_finding { id = id, by = "server" } end
if real_time() then expect_finding { id = "*", by = "server", maybe = true } end -- what follows depends on the real host's answer

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")

local function works(c, s)
    c:send(pattern(20000, { seed = 7 }))
    expect(s:receive(20000), pattern(20000, { seed = 7 }))
    s:send(pattern(20000, { seed = 8 }))
    expect(c:receive(20000), pattern(20000, { seed = 8 }))
end
server:listen(5000)
local lies = {
    { rmbe_index = 0 }, { bsize = 15 }, { mtu = 0 }, { mtu = 6 }, { mtu = 15 }, { gid = ("\0"):rep(16) }, { first_contact = false },
    { version = 1 }, { version = 3 }, { version = 15 }, { path = 1 }, { path = 2 }, { path = 3 }, { type = 1 }, { type = 3 }, { length = 68 }, { length = 109 },
    { eid = "SOMEONE.ELSE" .. (" "):rep(20) }, { max_conns = 0 }, { max_links = 0 }, { max_links = 200 }, { release = 7 }, { eyecatcher = "SMCX" },
    { qpn = 0 }, { qpn = 0xffffff }, { rkey = 0 }, { token = 0 },
}
for i, lie in ipairs(lies) do
    lie[1] = "CLC Accept"
    server:edit(lie)
    local c = client:connect(server, 5000)
    c:decided "20 s"
    if c.mode == "TCP" then expect_true(c.fallback ~= 0, "no reason for lie " .. i) end
    c:close()
    local s = server:try_accept(5000)
    if s then s:close() end
    wait(real_time() and "200 ms" or "5 s")
end
local c, s = connect(client, server, 5000)
expect(c.mode, "SMC-R")
works(c, s)
