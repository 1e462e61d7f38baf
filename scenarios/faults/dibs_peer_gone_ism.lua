-- The peer's machine loses power, or its device is taken out, while data move over ism.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The peer of an SMC-D connection is gone (ism)",
    source = "state-machines: dibs events",
    requirements = { "SMCD-014", "DIBS-002" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { { "ism", name = "dev" } }, profile = { "linux", close_guard_ns = "20 s" } }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { { "ism", name = "dev" } } }
link("client", "server")
server:listen(5000)

for round = 0, 5 do
    local c, s = connect(client, server, 5000)
    if c.mode == "TCP" then -- the other one believed in the old group, and heard that it is out of sync
        expect(c.fallback, 0x04000000)
        c, s = connect(client, server, 5000)
    end
    expect(c.mode, "SMC-D")
    c:try_send(pattern(30000))
    wait(round * 3000)
    local who = round % 2 == 0 and server or client
    who:remove "dev"
    expect_error(c, "RESET", { within = "60 s" })
    expect_error(s, "RESET", { within = "60 s" })
    c:close()
    s:close()
    who:restore "dev"
    wait "1 s"
end
connect(client, server, 5000)
local c, s = connect(client, server, 5000)
c:send("alive")
expect(s:receive(5), "alive")
server:kill()
c:try_send(pattern(200000))
wait "300 s"
c:close()
expect_state(c, "CLOSED", { within = "300 s" })
