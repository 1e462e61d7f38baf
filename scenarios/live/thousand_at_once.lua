-- A thousand connections at once share four groups; each carries its own bytes both ways, all at the same time.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A thousand connections at once",
    source = "RFC 7609 2.2; SMC-Rv2 max_conns",
    requirements = { "CLC-011", "CDC-007", "CURSOR-001" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24", versions = { 2 }, rmb = "16 KiB", sndbuf = "16 KiB" }
host "server" { address = "10.0.0.2/24", versions = { 2 }, rmb = "16 KiB", sndbuf = "16 KiB" }
link("client", "server", { mtu = 1500 })
server:listen(5000)

-- A bunch at a time: a server that is emulated answers a thousand Proposals later than the last client waits.
local c, s = {}, {}
local function begin(from, to)
    for i = from, to do c[i] = client:connect(server, 5000) end
    for i = from, to do s[i] = server:accept(5000, { within = "60 s" }) end
    for i = from, to do expect(c[i]:connected { within = "60 s" }, "SMC-R") end
end
for i = 1, 1000, 25 do begin(i, i + 24) end
expect_true(groups(client) >= 4, "at least four groups")

-- Who is whose peer is known by what it says.
local at = {}
for i = 1, 1000 do c[i]:send(string.format("%04d", i)) end
for i = 1, 1000 do
    local n = tonumber(s[i]:receive(4))
    expect_true(n and not at[n], "each number comes once")
    at[n] = s[i]
end
local moves = {}
for i = 1, 1000 do
    moves[i] = transfer { from = c[i], to = at[i], bytes = "20 KiB", both_ways = true, background = true }
end
for i = 1, 1000 do moves[i]:finish() end
for i = 1, 1000 do c[i]:close() end
for i = 1, 1000 do at[i]:close() end
wait "2 s"
