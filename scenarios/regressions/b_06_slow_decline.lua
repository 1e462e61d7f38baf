-- B-06 (CVE-2023-52775): the client declines, but that is slow. A server whose time is over looks for a Decline before it says its own.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-06: who gave up looks for a Decline first",
    source = "CVE-2023-52775; linux e6d71b437abc; RFC 7609 C.7.1",
    requirements = { "CLC-050", "CLC-053", "LLC-011" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
local wire = link("client", "server", { delay = "20 ms" })

-- The client has a reason to decline at once. The Decline comes when two seconds are over, but not the third.
server:edit { "CONFIRM LINK", of = "request", qpn = 0x654321 }
expect_finding { id = "LLC-011", by = "server" }
wire:delay { "CLC Decline", from = "client", by = "2400 ms", count = 100 }

server:listen(5000)
local c = client:connect(server, 5000)
local s = server:accept(5000, { within = "30 s" })
c:connected { within = "30 s" }
expect(c.mode, "TCP")
expect(s.mode, "TCP")
c:send("from the client")
s:send("from the server")
expect(s:receive(15), "from the client")
expect(c:receive(15), "from the server")
c:close()
s:close()
wait "10 s"
