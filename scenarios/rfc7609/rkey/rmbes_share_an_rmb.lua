-- The RFC lets an RMB have many elements. Eight connections take the eight elements of one RMB: one key, no CONFIRM RKEY.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Several connections share an RMB",
    source = "RFC 7609 2.3, 4.3",
    requirements = { "CLC-037", "CLC-038", "CDC-007", "CURSOR-004" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = "rfc" }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = "rfc" }
link("client", "server")

local cs, ss = {}, {}
for i = 1, 8 do cs[i], ss[i] = connect(client, server) end
expect(count_messages { "CONFIRM RKEY" }, 0)
expect(group("server").rmbs, 1)
local accepts = messages { "CLC Accept" }
for i = 1, 8 do
    expect(accepts[i].rmbe_index, i, "index of element")
    expect(accepts[i].rkey, accepts[1].rkey, "key")
end
connect(client, server)
expect_message { "CONFIRM RKEY", from = "server", response = false }
for i = 1, 8 do cs[i]:send("data " .. i) end
for i = 1, 8 do expect(ss[i]:receive(6), "data " .. i) end
wait "1 s"
