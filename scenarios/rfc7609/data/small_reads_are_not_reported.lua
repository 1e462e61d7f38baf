-- The reader takes 100 bytes at a time. It reports when more than a tenth was read and the writer has less than half: not before.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Small reads are not worth a message",
    source = "RFC 7609 4.5.1",
    requirements = { "CURSOR-010", "CURSOR-023" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
c:send(pattern(30000))
wait_for(function() return s.readable == 30000 end, "all is there")
for i = 1, 300 do s:receive(100) end
wait "1 ms"
expect(count_messages { "CDC", from = "server" }, 0)
c:send(pattern(30000))
wait_for(function() return s.readable == 30000 end, "all is there")
s:receive(30000)
expect_message { "CDC", from = "server" }
expect(count_messages { "CDC", from = "server" }, 1)
wait "1 s"
