-- A CONFIRM RKEY and its continuation name all links but one, which their sender then uses: the judge sees the whole list, and who left it out.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "CONFIRM RKEY, with its continuation, leaves out a link in use",
    source = "RFC 7609 A.3.5, A.3.6",
    requirements = { "LLC-050", "LLC-057" },
    targets = { "sim", "ns3" },
    hostile = true,
}

expect_finding { id = "LLC-050", by = "client" }

host "client" { address = "10.0.0.1/24", profile = { "linux", max_links = 6 }, versions = { 1 } }
host "server" { address = "10.0.0.2/24", profile = { "linux", max_links = 6 }, versions = { 1 } }
link("client", "server")
for i = 1, 4 do
    client:interface("eth" .. i) { address = "10.0." .. i .. ".1/24" }
    server:interface("eth" .. i) { address = "10.0." .. i .. ".2/24" }
    link("client.eth" .. i, "server.eth" .. i)
end

local c, s = connect(client, server)
expect_links("client", 5)
wait "100 ms"
skip_messages()
c:inject { "CONFIRM RKEY", link = 1, other_count = 3, rkey = 0x1003, va = 0x100000, link1 = 2, rkey1 = 0x2003, link2 = 3, rkey2 = 0x3003 }
expect_message { "CONFIRM RKEY", from = "server", response = true, negative = false }
c:inject { "CONFIRM RKEY CONTINUATION", link = 1, rtoken_count = 1, link1 = 4, rkey1 = 0x4003 }
expect_message { "CONFIRM RKEY CONTINUATION", from = "server", response = true, negative = false }
wait "10 ms"
c:inject { "TEST LINK", link = 5 }
expect_message { "TEST LINK", from = "server", response = true }
c:send("still here")
expect(s:receive(10), "still here")
wait "1 s"
