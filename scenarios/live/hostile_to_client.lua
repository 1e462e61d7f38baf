-- Our server breaks the rules of CLC, LLC and CDC. Whatever the client makes of it, it does not warn and does not hang, and the
-- next connection works.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A client withstands a hostile server",
    source = "docs/bugs.md B-33, B-36, B-38",
    requirements = { "CLC-024", "CLC-026", "LLC-001", "LLC-002", "CDC-001", "CDC-005" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
    hostile = true,
}

expect_finding { id = "*", by = "server", maybe = true }
expect_finding { id = "*", by = "client", maybe = true } -- what forged messages have told it, a capture does not show

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
    server:edit(change)
    local c = client:connect(server, 5000)
    wait "200 ms"
    c:close()
    local s = server:try_accept(5000)
    if s then s:close() end
end
works()

-- An Accept that is none, or lies.
for _, length in ipairs { 0, 8, 39, 68, 108, 2000, 65535 } do
    try { "CLC Accept", bytes = function(b) return b:sub(1, 5) .. string.pack(">I2", length) .. b:sub(8) end }
end
for _, cut in ipairs { 1, 7, 8, 60 } do
    try { "CLC Accept", bytes = function(b) return b:sub(1, cut) end }
end
try { "CLC Accept", bytes = function() return pattern(160, { seed = 3 }) end }
try { "CLC Accept", bytes = function(b) return b:sub(1, 7) .. string.char(b:byte(8) | 3) .. b:sub(9) end } -- a path of no kind
try { "CLC Accept", bytes = function(b) return b:sub(1, 40) .. ("\xff"):rep(20) .. b:sub(61) end }
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
            if s.mode == "SMC-R" and not s.error then pcall(s.inject, s, m) end -- no room: its link is dying
            wait "5 ms"
        end
    end
    if s.mode ~= "SMC-R" or s.error or s.state ~= "ACTIVE" then
        c:close()
        s:close()
        again()
    end
end
c:close()
s:close()
works()

-- CDC: tokens of nobody, cursors beyond the ring, numbers that jump, flags before their time.
local lies = {
    { token = 0 }, { token = 0xffffffff }, { seqno = 0x7fff }, { prod_count = 0xffffffff }, { prod_count = 0x7fffffff, prod_wrap = 0xffff },
    { cons_count = 0xffffffff }, { cons_count = 70000, cons_wrap = 9 }, { seqno = 100, failover_validation = true },
    { seqno = 2, urgent_present = true, prod_count = 9 }, { seqno = 2, writer_blocked = true }, { seqno = 2, abnormal_close = true },
}
for _, lie in ipairs(lies) do
    again()
    s:send("abc")
    expect(c:receive(3), "abc")
    lie[1] = "CDC"
    lie.seqno = lie.seqno or 2
    lie.prod_count = lie.prod_count or 3
    if not s.error then pcall(s.inject, s, lie) end
    wait "50 ms"
    c:try_receive(1000)
    s:close()
    c:close()
    wait "50 ms"
end
works()
