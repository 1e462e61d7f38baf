-- B-52: a connection is closed while it waits for a slot to send in: the wait ends with it.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-52: close with a transmit retry pending",
    source = "CVE-2023-53233",
    requirements = { "CLOSE-003", "CLOSE-013" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", profile = { "linux", close_drain_ns = "1 ms" } }
host "server" { address = "10.0.0.2/24" }
link("client", "server")
server:listen(5000)

local kept, kept_s = connect(client, server, 5000)
for _, how in ipairs { "abort", "close" } do
    local all = {}
    for i = 1, 24 do all[i] = { connect(client, server, 5000) } end
    -- The device keeps back what is posted: all slots fill, and most wait.
    client:roce_fault("eth0", { "hold qp", argument = "300 ms" })
    for i = 1, 24 do all[i][1]:try_send(pattern(2000)) end
    wait "1 ms"
    for i = 1, 24 do
        if how == "abort" then all[i][1]:set { linger = 0 } end
        all[i][1]:close()
    end
    wait "5 s"
    for i = 1, 24 do all[i][2]:close() end
    wait "5 s"
    for i = 1, 24 do
        expect(all[i][1].state, "CLOSED")
        expect(all[i][2].state, "CLOSED")
    end
    client:roce_fault("eth0")
    kept:send(pattern(20000))
    expect(kept_s:receive(20000), pattern(20000))
end
