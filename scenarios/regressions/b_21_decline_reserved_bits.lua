-- B-21: a Decline whose reserved bits are set is a Decline all the same.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-21: reserved bits of a Decline are ignored",
    source = "linux cc282f73bc0c",
    requirements = { "CLC-010" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24", roce = false }
link("client", "server")
server:listen(5000)

for bits = 1, 7 do
    server:edit { "CLC Decline", bytes = function(b) return b:sub(1, 7) .. string.char((b:byte(8) & 0xf8) | bits) .. b:sub(9) end }
    local c = client:connect(server, 5000)
    local s = server:accept(5000)
    expect(c:connected(), "TCP")
    expect(s.mode, "TCP")
    c:send("over TCP")
    expect(s:receive(8), "over TCP")
    c:close()
    s:close()
end
