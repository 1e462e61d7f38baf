-- Blocks of every size around that of the ring, so that each begins elsewhere and most are cut at its end.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Every size around the ring's, with wrap-around",
    source = "linux net/smc/smc_tx.c",
    requirements = { "SMCD-001", "SMCD-002", "SMCD-003" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { "ism" }, rmb = "16 KiB", sndbuf = "16 KiB" }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { "ism" }, rmb = "16 KiB", sndbuf = "16 KiB" }
link("client", "server")
local c, s = connect(client, server)
expect(c.mode, "SMC-D")
local ring = s.rmb_bytes - 32
expect(ring, 16384 - 32)
local total = 0
for _, n in ipairs { 1, 2, ring - 4, ring - 1, ring, ring, 1, ring - 1, 7, 4095, 4096, 4097, ring // 2, ring // 2 + 1, ring } do
    c:send(pattern(n, { seed = n }))
    expect(s:receive(n), pattern(n, { seed = n }))
    s:send(pattern(n, { seed = n + 1 }))
    expect(c:receive(n), pattern(n, { seed = n + 1 }))
    total = total + n
end
expect(s.rx_cons.count, total % ring)
expect(s.rx_cons.wrap, total // ring)
for _, m in ipairs(messages { "SMC-D move" }) do
    expect_true(m.offset + m.total <= 16384, "a move beyond the element")
end
