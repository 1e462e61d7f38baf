-- B-10 (CVE-2025-40139, CVE-2025-40168): the device that a handshake has chosen leaves before the answer comes.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-10: a device may leave at any moment of a handshake",
    source = "CVE-2025-40139, CVE-2025-40168",
    requirements = { "ROCE-012" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { { "ism", name = "ism0" } } }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { { "ism", name = "ism0" } } }
link("client", "server", { delay = "1 ms" })
server:listen(5000)

for _, who in ipairs { client, server } do
    for _, device in ipairs { "roce eth0", "ism0" } do
        for ms = 0, 12 do
            local c = client:connect(server, 5000)
            wait(ms * 1000000 + 500000)
            who:remove(device)
            wait "30 s"
            who:restore(device)
            local s = server:try_accept(5000)
            if s and c.error == nil and s.error == nil and c.mode == s.mode then
                transfer { from = c, to = s, bytes = "1 KiB" }
            end
            c:close()
            if s then s:close() end
            wait "10 s"
        end
    end
end
local c, s = connect(client, server, 5000)
transfer { from = c, to = s, bytes = "10 KiB", both_ways = true }
