-- The reader wants the urgent byte in its stream. A read stops in front of it, and reading it out of line is an error.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Urgent data in line",
    source = "RFC 7609 4.7.5, SO_OOBINLINE",
    requirements = { "CURSOR-015", "CURSOR-020" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
s:set { oob_inline = true }
c:send("before")
c:urgent("!")
s:wait_urgent()
wait_for(function() return s.readable == 7 end, "all is there")
expect(s:receive(6), "before")
expect(s:read_urgent(), nil)
expect(s:receive(1), "!")
c:send("behind")
expect(s:receive(6), "behind")
wait "1 s"
