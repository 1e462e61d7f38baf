-- B-23: the peer aborts, or its abort crosses, while the own close is under way: the connection leaves its group all the same.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-23: nothing is kept when an abort cuts a close short",
    source = "net/smc: put sk reference if close work was canceled",
    requirements = { "CLOSE-016", "CLOSE-019" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")
server:listen(5000)

for round = 1, 6 do
    local c, s = connect(client, server, 5000, { rmb = "16 KiB" })
    c:try_send(pattern(60000)) -- more than there is room for: close waits for it
    if round % 2 == 0 then s:try_send(pattern(60000)) end
    c:close()
    if round % 3 == 0 then wait "1 ms" end
    s:set { linger = 0 }
    s:close() -- what it has not read makes it an abort
    expect_state(c, "CLOSED", { within = "5 s" })
    expect_state(s, "CLOSED", { within = "5 s" })
end
groups_end("client", "server")
