-- "urgent pending" and "urgent present" leave with the data; the cursor stands one beyond the urgent byte. The reader gets the
-- byte out of line, and its stream without it.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Urgent data with the window open",
    source = "RFC 7609 4.7.5",
    requirements = { "CURSOR-015", "CURSOR-018" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
c:send("abc")
wait_for(function() return s.readable == 3 end, "the bytes are there")
skip_messages()
c:urgent("!")
expect_message { "CDC", from = "client", urgent_pending = true, urgent_present = true, prod_count = 4 }
s:wait_urgent()
expect(s:receive(3), "abc")
expect(s:read_urgent(), "!")
expect(s:read_urgent(), nil, "the byte a second time")
c:send("def")
expect(s:receive(3), "def")
wait "1 s"
