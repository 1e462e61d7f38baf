-- The reader sleeps: the sender fills ring and send buffer, waits without a move, and goes on when there is room.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A full ring stops the sender, and reading starts it again",
    source = "linux net/smc/smc_tx.c",
    requirements = { "SMCD-002" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { "ism" }, sndbuf = "32 KiB" }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { "ism" }, rmb = "32 KiB" }
link("client", "server")
local c, s = connect(client, server)
local data = pattern("128 KiB", { seed = 9 })
local taken = c:try_send(data)
wait "100 ms"
taken = taken + c:try_send(data:sub(taken + 1))
wait "100 ms"
expect(s.readable, s.rmb_bytes - 32, "the ring is full")
expect_true(taken >= s.rmb_bytes and taken < #data, "the sender took all or too little")
skip_messages()
expect(c:try_send(data:sub(taken + 1)), 0)
expect_no_message { "SMC-D move", from = "client", within = "2 s" }
expect(s:receive(taken), data:sub(1, taken))
local rest = data:sub(taken + 1)
for at = 1, #rest, 20000 do
    c:send(rest:sub(at, at + 19999))
    expect(s:receive(math.min(20000, #rest - at + 1)), rest:sub(at, at + 19999))
end
