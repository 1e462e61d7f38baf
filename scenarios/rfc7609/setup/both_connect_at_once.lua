-- Two connections begin before a link group exists. One makes the group, the other one finds it, or makes a second one: the
-- server decides, and both work.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Two first contacts at once",
    source = "RFC 7609 3.5.1, 3.5.3",
    requirements = { "CLC-032", "CLC-073" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

server:listen(5000)
local c1 = client:connect(server, 5000)
local c2 = client:connect(server, 5000)
local s1 = server:accept(5000)
local s2 = server:accept(5000)
expect(c1:connected(), "SMC-R")
expect(c2:connected(), "SMC-R")
c1:send("first")
c2:send("other")
local got = { s1:receive(5), s2:receive(5) }
expect_true(got[1] ~= got[2], "each server socket has another client")
expect(#messages { "CLC Accept" }, 2)
expect(count_messages { "CLC Accept", first_contact = true }, groups("server"))
wait "1 s"
