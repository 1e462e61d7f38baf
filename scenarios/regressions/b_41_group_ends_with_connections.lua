-- B-41: the group ends while connections of it are in every state of closing.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-41: a group ends under its connections",
    source = "CVE-2026-74493",
    requirements = { "CLOSE-030", "FAILOVER-012" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")
server:listen(5000)

for _, ends in ipairs { "roce", "link", "delete all" } do
    local all = {}
    for i = 1, 9 do
        local c, s = connect(client, server, 5000)
        all[#all + 1] = { c, s }
        c:send(pattern(1000 * i))
    end
    all[1][1]:close()
    all[2][2]:close()
    all[3][1]:shutdown "write"
    all[4][1]:shutdown "write"
    all[4][2]:shutdown "write"
    all[5][1]:close()
    all[5][2]:close()
    all[6][1]:set { linger = 0 }
    all[6][1]:close()
    wait "2 us"
    if ends == "roce" then client:remove "roce eth0" end
    if ends == "link" then server:remove "roce eth0" end
    if ends == "delete all" then all[7][2]:inject { "DELETE LINK", version = 2, all = true, reason = 0x00030000 } end
    expect_groups("client", 0, { within = "80 s" })
    for i = 7, 9 do
        expect_error(all[i][1], "RESET", { within = "80 s" })
        expect_error(all[i][2], "RESET", { within = "80 s" })
    end
    for i = 1, 9 do
        all[i][1]:close()
        all[i][2]:close()
    end
    wait "1 s"
    for i = 1, 9 do
        expect_state(all[i][1], "CLOSED", { within = "80 s" })
        expect_state(all[i][2], "CLOSED", { within = "80 s" })
    end
    if ends == "roce" then client:restore "roce eth0" end
    if ends == "link" then server:restore "roce eth0" end
end
local c, s = connect(client, server, 5000)
transfer { from = c, to = s, bytes = "20 KiB", both_ways = true }
