-- Reserved bits and unknown feature bits that are set change nothing: a later release may have given them a meaning.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Reserved bits that are set change nothing",
    source = "RFC 7609 A.2",
    requirements = { "CLC-003", "CLC-045", "CLC-069" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", paths = { "R" } }
host "server" { address = "10.0.0.2/24", paths = { "R" } }
host "bare" { address = "10.0.0.3/24", roce = false }
switch "sw0"
link("client", "sw0")
link("server", "sw0")
link("bare", "sw0")

local function works(peer, mode)
    local c, s = connect(client, peer)
    expect(c.mode, mode)
    c:send("still there")
    expect(s:receive(11), "still there")
    c:close()
    s:close()
end

client:edit { "CLC Proposal", features = 0x8001 }
works(server, "SMC-R")
server:edit { "CLC Accept", reserved1 = 1 }
works(server, "SMC-R")
for bits = 1, 7 do
    bare:edit { "CLC Decline", bytes = function(b) return b:sub(1, 7) .. string.char((b:byte(8) & 0xf8) | bits) .. b:sub(9) end }
    works(bare, "TCP")
end
