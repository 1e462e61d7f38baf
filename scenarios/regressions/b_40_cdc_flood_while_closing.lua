-- B-40: CDCs for a connection go on coming while it closes, and after it has gone.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-40: messages for a connection that has gone",
    source = "CVE-2026-64541",
    requirements = { "CDC-005", "CDC-014" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")
server:listen(5000)
for _, id in ipairs { "CDC-002", "CDC-007", "CDC-011", "CLOSE-015", "CLOSE-019", "CURSOR-010", "LLC-061" } do expect_finding { id = id, by = "client" } end
local kept, kept_s = connect(client, server, 5000)

for round = 1, 6 do
    local c, s = connect(client, server, 5000)
    local token = s.token
    c:send("some")
    expect(s:receive(4), "some")
    local gone = false
    for i = 1, 30 do
        kept:inject { "CDC", token = token, seqno = 100 + i, prod_count = 4 + round, closed = i > 15 }
        if i == 4 * round % 20 + 1 then s:close() end
        if i == 25 then c:close() end
        wait "1 us"
    end
    wait "1 s"
    -- Long after.
    for i = 1, 10 do kept:inject { "CDC", token = token, seqno = 200 + i, prod_count = 50, abnormal_close = true } end
    expect_state(s, "CLOSED")
    wait "1 s"
    kept:send(pattern(20000))
    expect(kept_s:receive(20000), pattern(20000))
end
