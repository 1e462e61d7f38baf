-- Linux answers CONFIRM RKEY also while it adds a link. The keys named then leave the new link out, so they are confirmed again
-- when it is there; then nothing that is written over it is refused.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "CONFIRM RKEY during ADD LINK, repeated with the new link (Linux)",
    source = "linux net/smc/smc_llc.c; RFC 7609 3.5.5.3.2",
    requirements = { "LLC-043", "LLC-050" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
local first_cable = link("client", "server", { delay = "1 ms" })
local second_cable = link("client.eth1", "server.eth1", { delay = "1 ms" })

second_cable:down()
connect(client, server)
wait_quiet()
skip_messages()
local c = client:connect(server, 5000)
expect_message { "CONFIRM RKEY", from = "client", response = true }
wait "0.5 ms"
second_cable:up()
expect_message { "ADD LINK", from = "server", response = false }
local asked = expect_message { "CONFIRM RKEY", from = "client", response = false, other_count = 0 }
expect_message { "CONFIRM RKEY", from = "client", response = false, other_count = 1, rkey = asked.rkey }
expect(c:connected(), "SMC-R")
local s = server:accept(5000)
expect_links("client", 2)
first_cable:down()
transfer { from = c, to = s, bytes = "64 KiB", both_ways = true }
wait "1 s"
