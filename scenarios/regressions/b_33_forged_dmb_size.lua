-- B-33: an Accept or Confirm announces a larger DMB than there is: no byte is written behind it.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-33: offset and size of a move are checked",
    source = "dibs: loopback: validate offset and size in move_data()",
    requirements = { "DIBS-012", "SMCD-010" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { { "loopback", name = "dev" } }, rmb = "16 KiB" }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { { "loopback", name = "dev" } }, rmb = "16 KiB" }
link("client", "server")
server:listen(5000)

for _, code in ipairs { 1, 3, 6 } do
    server:edit { "CLC Accept", bsize = code }
    local c, s = connect(client, server, 5000)
    expect(c.mode, "SMC-D")
    local beside, beside_s = connect(client, server, 5000) -- whose memory is next to it
    c:try_send(pattern(60000))
    wait "1 ms"
    expect_error(c, "RESET", { within = "1 s" })
    beside:send(pattern(30000, { seed = 3 }))
    expect(beside_s:receive(30000), pattern(30000, { seed = 3 }))
    c:close()
    s:close()
    beside:close()
    beside_s:close()
    wait "1 s"
end
