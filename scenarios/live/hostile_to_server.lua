-- Our client breaks the rules of CLC, LLC and CDC. Whatever the server makes of it, it does not warn and does not hang, and the
-- next connection works.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A server withstands a hostile client",
    source = "docs/bugs.md B-01, B-04, B-36, B-38",
    requirements = { "CLC-023", "CLC-024", "CLC-025", "CLC-026", "LLC-001", "LLC-002", "CDC-001", "CDC-005" },
    targets = { "sim", "ns3", "vm" },
    roles = { "server" },
    hostile = true,
}

expect_finding { id = "*", by = "client", maybe = true }
expect_finding { id = "*", by = "server", maybe = true } -- what forged messages have told it, a capture does not show

host "client" { address = "10.0.0.1/24", versions = { 2 } }
host "server" { address = "10.0.0.2/24", versions = { 2 } }
link("client", "server", { mtu = 1500 })
server:listen(5000)
server:listen(5001)

local function works()
    local c, s = connect(client, server, 5001)
    c:send(pattern(20000, { seed = 7 }))
    expect(s:receive(20000), pattern(20000, { seed = 7 }))
    s:send(pattern(20000, { seed = 8 }))
    expect(c:receive(20000), pattern(20000, { seed = 8 }))
    c:close()
    s:at_end()
    s:close()
    wait "50 ms"
end

local function try(change)
    client:edit(change)
    local c = client:connect(server, 5000)
    wait "200 ms"
    c:close()
    local s = server:try_accept(5000)
    if s then s:close() end
end
works()

-- Counts, offsets and lengths of a Proposal.
try { "CLC Proposal", eid_count = 255 }
try { "CLC Proposal", v2_offset = 0xffff }
for _, length in ipairs { 0, 8, 39, 52, 155, 2000, 65535 } do
    try { "CLC Proposal", bytes = function(b) return b:sub(1, 5) .. string.pack(">I2", length) .. b:sub(8) end }
end
for _, cut in ipairs { 1, 7, 8, 40, 100 } do
    try { "CLC Proposal", bytes = function(b) return b:sub(1, cut) end }
end
try { "CLC Proposal", bytes = function() return pattern(500, { seed = 3 }) end }
works()
-- A Confirm that is none, or lies.
try { "CLC Confirm", bytes = function(b) return b:sub(1, 5) .. string.pack(">I2", 8) .. b:sub(8) end }
try { "CLC Confirm", bytes = function(b) return b:sub(1, 30) end }
try { "CLC Confirm", bytes = function() return pattern(180, { seed = 4 }) end }
works()

-- LLC: every type, lengths that cannot be, requests and responses that nobody waits for.
local c, s
local function again()
    c = client:connect(server, 5000)
    c:connected()
    s = server:accept(5000)
end
again()
for kind = 0x20, 0x2b do
    for _, length in ipairs { 1, 3, 4, 43, 44 } do
        for _, response in ipairs { "\0", "\x80" } do
            local m = (string.char(kind, length, 0) .. response .. ("\0"):rep(60)):sub(1, length)
            if c.mode == "SMC-R" and not c.error then pcall(c.inject, c, m) end -- no room: its link is dying
            wait "5 ms"
        end
    end
    if c.mode ~= "SMC-R" or c.error or c.state ~= "ACTIVE" then
        c:close()
        s:close()
        again()
    end
end
c:close()
s:close()
works()

-- CDC: tokens of nobody, lengths that cannot be, cursors beyond the ring, numbers that jump, flags before their time.
local lies = {
    { token = 0 }, { token = 0xffffffff }, { seqno = 0x7fff }, { prod_count = 0xffffffff }, { prod_count = 0x7fffffff, prod_wrap = 0xffff },
    { cons_count = 0xffffffff }, { cons_count = 70000, cons_wrap = 9 }, { seqno = 100, failover_validation = true },
    { seqno = 2, urgent_present = true, prod_count = 9 }, { seqno = 2, writer_blocked = true }, { seqno = 2, abnormal_close = true },
    { seqno = 2, sending_done = true, closed = true, abnormal_close = true },
}
for _, lie in ipairs(lies) do
    again()
    c:send("abc")
    expect(s:receive(3), "abc")
    lie[1] = "CDC"
    lie.seqno = lie.seqno or 2
    lie.prod_count = lie.prod_count or 3
    if not c.error then pcall(c.inject, c, lie) end
    wait "50 ms"
    s:try_receive(1000)
    c:close()
    s:close()
    wait "50 ms"
end
works()
