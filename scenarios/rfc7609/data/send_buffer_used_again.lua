-- A send buffer may serve the next connection as soon as what was posted from it has left, and what it is asked for is what it has.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A send buffer is used again",
    source = "linux net/smc/smc_core.c",
    requirements = { "CLOSE-020" },
    targets = { "sim" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

for _ = 1, 4 do
    local c, s = connect(client, server)
    transfer { from = c, to = s, bytes = "1 KiB", both_ways = true }
    c:close()
    s:close()
    expect_state(c, "CLOSED")
    expect_state(s, "CLOSED")
    wait "1 s"
end
for _, h in ipairs { "client", "server" } do
    local n = counters(h).r
    expect(n.tx_buffer_alloc, 1, h .. " made send buffers")
    expect(n.tx_buffer_reuse, 3, h .. " used send buffers again")
    expect(n.tx_buffer_downgraded, 0, h .. " had to do with smaller ones")
end
