-- CDC messages that lie: tokens of nobody, numbers that jump, flags that cannot be, C and A before their time.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "CDC messages that lie",
    source = "RFC 7609 A.4",
    requirements = { "CDC-001", "CDC-005", "CDC-010", "CDC-013", "CDC-014" },
    targets = { "sim", "ns3" },
    hostile = true,
}

for _, id in ipairs { "CDC-001", "CLOSE-001" } do expect_finding { id = id, by = "client" } end
expect_finding { id = "CLOSE-001", by = "server" }

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
local kept, kept_s = connect(client, server, 5000)
-- Of nobody, of no group, of every odd length.
for _, token in ipairs { 0, 0xffffffff, 0x12345678 } do kept:inject { "CDC", token = token, seqno = 7, prod_count = 9 } wait "20 us" end
for length = 1, 48 do
    if length ~= 44 then
        kept:inject((encode { "CDC", token = kept.peer_token, seqno = 500, prod_count = 5 } .. ("\0"):rep(8)):sub(1, length))
        wait "20 us"
    end
end
kept:inject { "CDC", length = 45, seqno = 500, prod_count = 5 }
wait "1 ms"
works(kept, kept_s)

-- A connection of its own for each of these.
local lies = {
    { seqno = 0x7fff }, { seqno = 0x8000 }, { seqno = 0 }, -- forward, back, back
    { seqno = 2, failover_validation = true }, { seqno = 0xffff, failover_validation = true }, { seqno = 100, failover_validation = true },
    { seqno = 2, sending_done = true }, { seqno = 2, closed = true }, { seqno = 2, abnormal_close = true }, { seqno = 2, sending_done = true, closed = true, abnormal_close = true },
    { seqno = 2, update_requested = true }, { seqno = 2, urgent_pending = true }, { seqno = 2, urgent_present = true }, { seqno = 2, writer_blocked = true },
    { seqno = 2, prod_count = 4, urgent_present = true, urgent_pending = true },
}
for i, lie in ipairs(lies) do
    local c, s = connect(client, server, 5000)
    c:send("abc")
    expect(s:receive(3), "abc")
    lie[1] = "CDC"
    lie.prod_count = lie.prod_count or 3
    c:inject(lie)
    wait "1 s"
    local got = s:try_receive(1000)
    expect_true(#got <= 1, "bytes that nobody sent were delivered by lie " .. i)
    c:close()
    s:close()
    wait "60 s"
    works(kept, kept_s)
end
