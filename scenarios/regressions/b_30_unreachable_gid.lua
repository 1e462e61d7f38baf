-- B-30 (CVE-2023-53382): the server accepts version 2 with a GID that cannot be reached: the client says so and does not go on.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-30: no SMC-Rv2 to a GID without a route",
    source = "CVE-2023-53382; linux 35112271672a",
    requirements = { "CLC-062" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")
server:listen(5000)
local nowhere = hex "00000000000000000000ffff c0a80909"

server:edit { "CLC Accept", gid = nowhere }
local c = client:connect(server, 5000)
local s = server:accept(5000)
expect(c:connected { within = "5 s" }, "TCP")
expect_message { "CLC Decline", from = "client" }
expect(c.fallback, 0x030e0000)
expect(s.mode, "TCP")
c:send("over TCP")
expect(s:receive(8), "over TCP")
expect_groups("client", 0)

c, s = connect(client, server, 5000)
expect(c.mode, "SMC-R")
