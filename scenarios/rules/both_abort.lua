-- Both sides abort at the same time: neither answers the other's abort. Then one says so once more, and nothing comes of it.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Both sides abort at once",
    source = "RFC 7609 4.8.2",
    requirements = { "CLOSE-019" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server", { delay = "1 ms" })
for _, id in ipairs { "CLOSE-019" } do expect_finding { id = id, by = "client" } end
local kept, kept_s = connect(client, server)
local c, s = connect(client, server)
local token = c.peer_token
c:send("not read")
s:send("not read")
wait "10 ms"
c:close()
s:close()
wait "1100 us"
kept:inject { "CDC", token = token, seqno = 3, prod_count = 8, abnormal_close = true }
wait "1 s"
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
kept:send("alive")
expect(kept_s:receive(5), "alive")
