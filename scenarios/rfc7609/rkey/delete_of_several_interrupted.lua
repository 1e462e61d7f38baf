-- The link fails that carries the server's DELETE RKEY of one RMB, when another RMB, which is older, has to be deleted too. Both keys are
-- named on the link that is left, one after the other.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "DELETE RKEY begins anew when its link is lost",
    source = "RFC 7609 3.5.5.2.2, 4.6",
    requirements = { "LLC-058", "LLC-060" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
local first_cable = link("client", "server")
link("client.eth1", "server.eth1")

local kept, kept_s = connect(client, server)
expect_links("client", 2)
wait_quiet()
local c, s = {}, {}
for i = 1, 2 do c[i], s[i] = connect(client, server) end
wait_quiet()
local keys = {}
for i, m in ipairs(messages { "CONFIRM RKEY", from = "server", response = false }) do keys[i] = m.link == 2 and m.rkey or m.rkey1 end
skip_messages()
client:edit { "DELETE RKEY", of = "response", nth = 1, drop = true }
for i = 2, 1, -1 do
    c[i]:close()
    s[i]:close()
    wait "1 ms"
end
expect(expect_message { "DELETE RKEY", from = "server", response = false }.link, 1)
first_cable:down()
for i = 1, 2 do
    expect_message { "DELETE RKEY", from = "server", response = false, link = 2, rkey1 = keys[i] }
    expect_message { "DELETE RKEY", from = "client", response = true, link = 2, negative = i == 2 }   -- the second it has deleted already
end
transfer { from = kept, to = kept_s, bytes = "64 KiB", both_ways = true }
wait "1 s"
