-- The device never reports the completion of a send: the close that waits for it ends by its timers or the peer's.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A completion is lost",
    source = "devices/roce.h DROP_COMPLETION",
    requirements = { "CDC-018", "FAILOVER-009" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
local l0 = link("client", "server")
local l1 = link("client.eth1", "server.eth1")

local function works(c, s)
    c:send(pattern(20000, { seed = 7 }))
    expect(s:receive(20000), pattern(20000, { seed = 7 }))
    s:send(pattern(20000, { seed = 8 }))
    expect(c:receive(20000), pattern(20000, { seed = 8 }))
end

server:listen(5000)
expect_finding { id = "CLOSE-024", by = "client" } -- its FIN waits for the completion
for nth = 1, 12 do
    local c, s = connect(client, server, 5000)
    client:roce_fault("eth0", { "drop completion", operations = "send", first = nth })
    for i = 1, 10 do c:send(pattern(100 * i)) end
    expect(#s:receive(5500), 5500)
    client:roce_fault("eth0")
    s:close()
    c:close()
    wait "60 s"
    expect_groups("client", 1)
end
local c, s = connect(client, server, 5000)
works(c, s)
