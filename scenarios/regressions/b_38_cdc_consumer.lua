-- B-38: consumer cursors outside the ring, or beyond what was produced, free no room.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-38: a consumer cursor is held against what was written",
    source = "series \"bound wire-controlled CDC cursors against the local buffers\"",
    requirements = { "CURSOR-006", "CURSOR-008" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")
server:listen(5000, { rmb = "16 KiB" })
server:listen(5001)
for _, id in ipairs { "CURSOR-006", "CURSOR-008", "CURSOR-025" } do expect_finding { id = id, by = "server" } end
expect_finding { id = "CDC-002", by = "server" }

for _, lie in ipairs { { cons_count = 65535 }, { cons_count = 16384 }, { cons_count = 0xffffffff }, { cons_wrap = 1 }, { cons_wrap = 0x7fff }, { cons_count = 6000 } } do
    local c, s = connect(client, server, 5000)
    local other, other_s = connect(client, server, 5001)
    c:send(pattern(5000))
    wait "1 ms"
    lie[1], lie.seqno = "CDC", 2
    s:inject(lie)
    expect_error(c, "PROTOCOL", { within = "1 s" })
    other:send(pattern(40000))
    expect(other_s:receive(40000), pattern(40000))
    for _, x in ipairs { c, s, other, other_s } do x:close() end
    wait "1 s"
end
