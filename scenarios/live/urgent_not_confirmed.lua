-- What looks like a kernel bug (A-46): its reader takes an urgent byte out of band while that is the next byte of the stream, and
-- nothing tells the writer so: a Linux writer would stay blocked until the connection is closed. docs/linux.md.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Linux does not confirm an urgent byte that was read out of band",
    source = "docs/linux.md, bug 2; RFC 7609 4.7.5",
    requirements = { "CURSOR-018" },
    targets = { "vm" },
    roles = { "server" },
}

-- The scenario fails with a kernel that confirms it.
expect_finding { id = "CURSOR-018", by = "server", verdict = "deviation" }

host "client" { address = "10.0.0.1/24", versions = { 2 } }
host "server" { address = "10.0.0.2/24", versions = { 2 } }
link("client", "server", { mtu = 1500 })

local c, s = connect(client, server)
c:send("Hello SMC ")
expect(s:receive(10), "Hello SMC ")
wait "500 ms"
c:urgent("U")
s:wait_urgent()
expect(s:read_urgent(), "U")
wait "3 s"
s:close()
wait "500 ms"
c:close()
wait "500 ms"
