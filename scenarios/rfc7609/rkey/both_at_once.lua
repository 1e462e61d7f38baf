-- Each host is client of one connection... and within one group, several new connections make both sides confirm keys at the
-- same time: the exchanges of the two peers may overlap.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Both peers confirm RMBs at once",
    source = "RFC 7609 3.5.5.3",
    requirements = { "LLC-044", "LLC-043", "LLC-051" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

connect(client, server)
wait_quiet()
skip_messages()
local cs = {}
for i = 1, 6 do cs[i] = client:connect(server, 5000) end
local ss = {}
for i = 1, 6 do ss[i] = server:accept(5000) end
for i = 1, 6 do
    expect(cs[i]:connected(), "SMC-R")
    cs[i]:send("abc")
end
for i = 1, 6 do expect(ss[i]:receive(3), "abc") end
expect(count_messages { "CONFIRM RKEY", from = "server", response = false }, 6)
expect(count_messages { "CONFIRM RKEY", from = "client", response = false }, 6)
expect_groups("client", 1)
wait "1 s"
