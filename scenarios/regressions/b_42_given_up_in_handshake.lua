-- B-42: a connection is given up in the middle of its handshake, at every moment, by either side: nothing of it stays.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-42: connections that are given up before they are connected",
    source = "CVE-2026-74692",
    requirements = { "CLC-008" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server", { delay = "10 us" })
server:listen(5000)

for us = 0, 150, real_time() and 30 or 3 do
    local c = client:connect(server, 5000)
    wait(us * 1000)
    c:close()
    wait(real_time() and "8 s" or "15 s")
    local s = server:try_accept(5000)
    if s then
        s:close()
        wait "3 s"
        expect(s.state, "CLOSED")
    end
    expect(c.state, "CLOSED")
end
groups_end("client", "server")
if not real_time() then
    local made, freed = counters("server").groups_created, counters("server").groups_freed
    expect(made, freed)
end
