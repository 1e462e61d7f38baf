-- A host loses power: the other one finds out by its timers, and frees what it had.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Power cut",
    source = "RFC 7609 C",
    requirements = { "LLC-062", "LLC-065", "CLOSE-030" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
host "other" { address = "10.0.0.3/24" }
switch "sw"
for _, h in ipairs { "client", "server", "other" } do link(h, "sw") end

local c1, s1 = connect(client, server)
local c2, s2 = connect(client, other)
c1:send(pattern(1000))
expect(#s1:receive(1000), 1000)
server:kill()
other:kill()
c2:send(pattern(50000)) -- under way; the first one is idle
expect_error(c2, "RESET", { within = "60 s" })
expect_error(c1, "RESET", { within = "120 s" })
c1:close()
c2:close()
expect_groups("client", 0, { within = "10 s" })
