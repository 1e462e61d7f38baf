-- Frames suffer loss at a rate, from the first SYN to the last FIN: every byte arrives as it was sent.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A network with loss",
    source = "RFC 7609; InfiniBand volume 1, chapter 9",
    requirements = { "ROCE-006", "CLC-006" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
local l0 = link("client", "server")
local l1 = link("client.eth1", "server.eth1")
l0:loss("1 %")
l1:loss("1 %")
server:listen(5000)

for round = 1, 3 do
    local c, s = connect(client, server, 5000, { within = "120 s" })
    transfer { from = c, to = s, bytes = "300 KiB", both_ways = true, chunk = 5000 }
    c:close()
    s:close()
    expect_state(c, "CLOSED", { within = "120 s" })
    expect_state(s, "CLOSED", { within = "120 s" })
end
