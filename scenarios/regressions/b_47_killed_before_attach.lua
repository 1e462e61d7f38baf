-- B-47: an SMC-D connection without copying is torn down before it has attached the peer's DMB, with signals on their way.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-47: teardown of a connection that has no send buffer yet",
    source = "linux b395dd319cea",
    requirements = { "SMCD-020", "SMCD-028" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { { "loopback", name = "dev" } }, no_copy = true }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { { "loopback", name = "dev" } }, no_copy = true }
link("client", "server")
server:listen(5000)

-- Never attached: the device refuses it, so the data are copied.
client:fault("dev", "attach", { times = 1, error = "NOMEM" })
local c, s = connect(client, server, 5000)
expect(c.mode, "SMC-D")
c:close()
s:at_end()
s:close()

-- Closed, or its device taken, at each step between the Accept and the first data.
for ns = 3000, 13000, 500 do
    for _, how in ipairs { "close", "device" } do
        local c = client:connect(server, 5000)
        wait(ns)
        if how == "close" then c:close() else client:remove "dev" end
        wait "10 s"
        if how == "device" then client:restore "dev" end
        local s = server:try_accept(5000)
        if s then s:close() end
        c:close()
        wait "10 s"
        expect(c.state, "CLOSED")
    end
end
c, s = connect(client, server, 5000)
transfer { from = c, to = s, bytes = "20 KiB", both_ways = true }
