-- B-39: an Accept names CHID 0, or one that was never offered; the places where no device stands are no devices.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-39: an Accept of SMC-Dv2 names an offered device",
    source = "linux 277740023def",
    requirements = { "CLC-078", "SMCD-024" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { { "loopback", name = "dev" } }, versions = { 2 } }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { { "loopback", name = "dev" } }, versions = { 2 } }
link("client", "server")
server:listen(5000)
for _, id in ipairs { "CLC-078", "SMCD-024" } do expect_finding { id = id, by = "server" } end

for _, chid in ipairs { 0, 0x1234, 0xff01 } do
    server:edit { "CLC Accept", chid = chid }
    local c = client:connect(server, 5000)
    local s = server:accept(5000)
    expect(c:connected(), "TCP")
    c:send("over TCP")
    expect(s:receive(8), "over TCP")
    c:close()
    s:close()
    wait "1 s"
end
local c, s = connect(client, server, 5000)
expect(c.mode, "SMC-D")
transfer { from = c, to = s, bytes = "20 KiB", both_ways = true }
