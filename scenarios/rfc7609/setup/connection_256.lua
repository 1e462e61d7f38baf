-- A group holds 255 connections. The next one is a first contact again, though the hosts know each other.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The 256th connection opens another link group",
    source = "RFC 7609 2.2, A.2.2",
    requirements = { "CLC-032", "CLC-037", "CLC-074", "LLC-055" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, rmb = "16 KiB", sndbuf = "16 KiB" }
host "server" { address = "10.0.0.2/24", versions = { 1 }, rmb = "16 KiB", sndbuf = "16 KiB" }
link("client", "server")

local c, s
for i = 1, 255 do c, s = connect(client, server) end
expect_groups("server", 1)
expect(group("server").connections, 255)
skip_messages()
local c256, s256 = connect(client, server)
expect_message { "CLC Accept", first_contact = true }
expect_groups("server", 2)
expect_groups("client", 2)
c:send("255")
c256:send("256")
expect(s:receive(3), "255")
expect(s256:receive(3), "256")
wait "1 s"
