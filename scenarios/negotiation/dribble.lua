-- The server puts a message together from single bytes; a client that dribbles a byte every five seconds meets the timer all the same.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A Proposal byte by byte",
    source = "RFC 7609 A.2; C.5",
    requirements = { "CLC-006", "CLC-010" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24", versions = { 1 }, roce = false }
link("client", "server")
server:listen(5000)
local proposal
client:edit { "CLC Proposal", bytes = function(b) proposal = b return b end }
expect(connect(client, server).mode, "TCP")
expect_message { "CLC Decline", from = "server" }
local function open()
    local c = client:connect(server, 5000)
    c:mute()
    wait "1 ms"
    return c
end
local c = open()
for i = 1, #proposal do
    c:inject_clc(proposal:sub(i, i))
    wait "100 us"
end
expect_message { "CLC Decline", from = "server" }
local s = server:accept(5000)
expect(s.mode, "TCP")

local slow = open()
slow:inject_clc(proposal:sub(1, 1))
wait "5 s"
slow:inject_clc(proposal:sub(2, 2))
expect_no_message { "TCP RST", from = "server", within = "900 ms" }
wait "200 ms"
expect(server:try_accept(5000), nil)
expect_message { "TCP RST", from = "server" }
