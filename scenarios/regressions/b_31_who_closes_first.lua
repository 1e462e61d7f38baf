-- B-31: whoever closes first ends TCP first, so that TIME-WAIT stays with it and not with the server.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-31: TCP is closed in the order of the connections",
    source = "linux 606a63c9783a",
    requirements = { "CLOSE-023", "CLOSE-024" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")
server:listen(5000)

for _, first in ipairs { "client", "server" } do
    local c, s = connect(client, server, 5000)
    c:send("question")
    expect(s:receive(8), "question")
    local a, b = c, s
    if first == "server" then a, b = s, c end
    skip_messages()
    a:close()
    b:at_end()
    b:close()
    expect_state(c, "CLOSED")
    expect_state(s, "CLOSED")
    local fin = expect_message { "TCP FIN" }
    expect(fin.from, first)
    wait "1 s"
end
