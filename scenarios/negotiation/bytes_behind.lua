-- The server's first bytes come in the segment of its Decline: the client takes the message's length and no more, the rest is the
-- application's.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Bytes right behind a CLC message",
    source = "RFC 7609 A.2",
    requirements = { "CLC-005" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24", ipsec = true }
link("client", "server")
for _, behind in ipairs { "x", "hello, world", string.rep("long ", 100) } do
    server:edit { "CLC Decline", bytes = function(b) return b .. behind end }
    local c, s = connect(client, server)
    expect(c.mode, "TCP")
    expect(c:receive(#behind), behind)
    s:send("and more")
    expect(c:receive(8), "and more")
    c:send("answer")
    expect(s:receive(6), "answer")
end
