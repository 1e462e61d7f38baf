-- The server's Accept is changed on its way out: size code 15, index 255, a CHID never offered, none at all. Each is declined.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "An Accept that names elements that cannot be",
    source = "own (hostile input)",
    requirements = { "SMCD-009", "CLC-078" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { "ism" } }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { "ism" } }
link("client", "server")
for _, forged in ipairs { { bsize = 15 }, { bsize = 7 }, { dmbe_index = 255 }, { chid = 0x0666 }, { chid = 0 }, { chid = 0xffff } } do
    forged[1] = "CLC Accept"
    server:edit(forged)
    expect_finding { id = forged.bsize and "SMCD-026" or forged.dmbe_index and "SMCD-009" or "CLC-078", by = server }
    if forged.chid == 0 then expect_finding { id = "SMCD-024", by = server } end
    local c, s = connect(client, server)
    expect(c.mode, "TCP")
    expect(s.mode, "TCP")
    c:send("goes on")
    expect(s:receive(7), "goes on")
    c:close()
    s:close()
end
local c, s = connect(client, server)
expect(c.mode, "SMC-D")
transfer { from = c, to = s, bytes = "50 KiB", both_ways = true }
