-- B-12: nothing is said on a link that was never confirmed, however its first contact ends.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-12: no LLC or CDC on a link that is not ready",
    source = "net/smc: don't send CDC/LLC message if link not ready",
    requirements = { "LLC-034" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
local l = link("client", "server")
server:listen(5000)

-- The client's reply never comes: the server gives up, and has no link to say so.
client:edit { "CONFIRM LINK", drop = true }
local c = client:connect(server, 5000)
wait "10 s"
c:close()
expect(count_messages { "CONFIRM LINK", from = "server" }, 1)
expect(count_messages { "DELETE LINK", from = "server" }, 0) -- the client's side of the link was ready
expect(count_messages { "CDC", from = "server" }, 0)
wait "10 s"
local said, told = count_messages { "CDC" }, count_messages { "DELETE LINK" }

-- The application closes before CONFIRM LINK came.
server:edit { "CONFIRM LINK", drop = true }
c = client:connect(server, 5000)
wait "100 ms"
c:close()
wait "10 s"
expect(count_messages { "DELETE LINK" }, told)
expect(count_messages { "CDC" }, said)
