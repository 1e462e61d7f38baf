-- B-07, B-42: a listener is closed while connections to it begin: each ends in order, and nothing of them stays behind.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-07, B-42: a listener goes under its handshakes",
    source = "CVE-2026-23450, CVE-2026-74692",
    requirements = { "CLC-008" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server", { delay = "10 us" })

for us = 0, 140, real_time() and 70 or 7 do
    local l = server:listen(5000)
    local sockets = {}
    for i = 1, 8 do
        sockets[i] = client:connect(server, 5000)
        wait(us * 125)
    end
    wait(us * 1000)
    l:close()
    wait(real_time() and "8 s" or "20 s")
    while true do -- those that were ready before
        local s = server:try_accept(5000)
        if not s then break end
        s:close()
    end
    for i = 1, 8 do sockets[i]:close() end
    wait(real_time() and "8 s" or "20 s")
    for i = 1, 8 do expect(sockets[i].state, "CLOSED") end
end
groups_end("client", "server")
