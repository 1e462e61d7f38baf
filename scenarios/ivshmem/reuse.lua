-- One after the other, so that DMBs are used again: nothing of the last connection is read, from data or from its CDC block.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Memory of a DMB is empty for the next connection",
    source = "seed 001 (own finding)",
    requirements = { "IVSHMEM-012", "DIBS-011" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { "ivshmem" }, rmb = "16 KiB" }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { "ivshmem" }, rmb = "16 KiB" }
link("client", "server")
for n = 1, 12 do
    local c, s = connect(client, server)
    expect(c.mode, "SMC-D")
    expect(s.readable, 0, "round " .. n)
    expect(s.rx_prod.count, 0, "round " .. n)
    c:send(string.rep("secret", 100 + n))
    expect(s:receive(600 + 6 * n), string.rep("secret", 100 + n))
    s:send(pattern(n, { seed = n }))
    expect(c:receive(n), pattern(n, { seed = n }))
    if n % 3 == 0 then c:set { linger = 0 } end
    c:close()
    s:close()
    wait "10 ms"
end
