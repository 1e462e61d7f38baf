-- B-16: a link is added while the group keeps RMBs that nobody uses: they are not registered on it, and must not be named.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-16: only RMBs in use are announced for a new link",
    source = "net/smc: Avoid to access invalid RMBs; Don't use RMBs not mapped to new link in SMCRv2 ADD LINK",
    requirements = { "LLC-032", "LLC-033" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 2 }, profile = { "rfc", rmbes_per_rmb = 2, second_link_retry_ns = "1 s" } }
host "server" { address = "10.0.0.2/24", versions = { 2 }, profile = { "rfc", rmbes_per_rmb = 2, second_link_retry_ns = "1 s" } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
local l0 = link("client", "server")
local l1 = link("client.eth1", "server.eth1")
server:listen(5000)

-- Four RMBs on either side, of four sizes; then all but one are freed (one of each size is kept in reserve).
l1:down()
local ends = {}
for i, size in ipairs { "16 KiB", "32 KiB", "64 KiB", "128 KiB" } do
    local c = client:connect(server, 5000, { rmb = size })
    local s = server:accept(5000)
    c:connected()
    ends[i] = { c, s }
end
for i = 1, 3 do
    ends[i][1]:close()
    ends[i][2]:close()
end
wait "1 s"
expect_links("client", 1)
skip_messages()
l1:up()
expect_links("client", 2, { within = "30 s" })
local m = expect_message { "ADD LINK", from = "client", response = true, reject = false }
expect(m.bytes:byte(71) + m.bytes:byte(72), 1, "RTokens in the answer")
local c, s = ends[4][1], ends[4][2]
-- All of it works when only the new link is left.
l0:down()
expect_links("client", 1, { within = "10 s" })
transfer { from = c, to = s, bytes = "300 KiB", both_ways = true }
