-- Eight RNICs on either side make the largest group there is. CONFIRM RKEY names two of the seven other links, its continuations
-- the rest; and any link can carry all connections when the others are gone.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A group of eight links",
    source = "RFC 7609 2.2.2, A.3.5, A.3.6",
    requirements = { "LLC-013", "LLC-050", "LLC-057" },
    targets = { "sim", "ns3" },
}

local cables = {}
host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = { "rfc", max_links = 8, rmbes_per_rmb = 2 } }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = { "rfc", max_links = 8, rmbes_per_rmb = 2 } }
cables[1] = link("client", "server")
for i = 1, 7 do
    client:interface("eth" .. i) { address = "10.0." .. i .. ".1/24" }
    server:interface("eth" .. i) { address = "10.0." .. i .. ".2/24" }
    cables[i + 1] = link("client.eth" .. i, "server.eth" .. i)
end

local ends = {}
for i = 1, 2 do ends[i] = { connect(client, server) } end
expect_links("client", 8)
expect_links("server", 8)
expect(group("server").type, "SYMMETRIC")
wait_quiet()
skip_messages()
ends[3] = { connect(client, server) }
expect_message { "CONFIRM RKEY", from = "server", response = false, other_count = 7 }
for _ = 1, 2 do expect_message { "CONFIRM RKEY CONTINUATION", from = "server", response = false } end
ends[4] = { connect(client, server) }   -- the other element of that RMB: all links know it
expect(count_messages { "CONFIRM RKEY", from = "server", response = false }, 1)
for i = 1, 7 do cables[i]:down() end
expect_links("client", 1)
expect_links("server", 1)
for i = 1, 4 do transfer { from = ends[i][1], to = ends[i][2], bytes = "64 KiB", both_ways = true } end
wait "1 s"
