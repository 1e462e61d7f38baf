-- A signal means "look", not "one message": delayed by 200 microseconds, and held for 20 ms, many become one, and no byte is lost.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Signals late, coalesced, and more than once",
    source = "linux net/smc/smc_ism.c",
    requirements = { "SMCD-007", "SMCD-008", "DIBS-017" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { { "ism", signal_delay = "200 us" } } }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { { "ism", signal_delay = "200 us" } } }
link("client", "server")
local c, s = connect(client, server)
expect(c.mode, "SMC-D")
transfer { from = c, to = s, bytes = "512 KiB", both_ways = true, chunk = 3000 }

local c2, s2 = connect(client, server)
server:fault("ism", "signals", { hold = "20 ms", copies = 2 })
local before = s2.rx_cdc
for n = 1, 30 do c2:send(pattern(100, { seed = n })) end
wait "10 ms"
expect(s2.readable, 0, "the signal is held")
wait "20 ms"
expect(s2.readable, 3000)
expect_true(s2.rx_cdc - before < 10, "each signal was counted as a message")
for n = 1, 30 do expect(s2:receive(100), pattern(100, { seed = n })) end
