-- B-19: a socket falls back to TCP for two reasons at once: it does so once, and a peer that knows no SMC hears nothing of it.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-19: a socket falls back once",
    source = "net/smc: Fix slab-out-of-bounds issue in fallback",
    requirements = { "CLC-010", "TCPOPT-005" },
    targets = { "sim", "ns3", "vm" },
    roles = { "server" },
}

host "client" { address = "10.0.0.1/24", ipsec = true }
host "server" { address = "10.0.0.2/24", smc = false }
host "other" { address = "10.0.0.3/24", ipsec = true }
switch "sw"
for _, h in ipairs { "client", "server", "other" } do link(h, "sw") end

-- No option came back, and the client must not use SMC anyway.
local c, s = connect(client, server, 5000)
expect(c.mode, "TCP")
c:send("hello")
expect(s:receive(5), "hello")
expect(count_messages { "CLC Decline" }, 0)
expect(counters("client").client_fallbacks, 1)

-- Both sides must not: their Declines cross, and neither reaches an application.
c, s = connect(client, other, 5001, { fast_open = true })
expect(c.mode, "TCP")
c:send("hello")
s:send("good day")
expect(s:receive(5), "hello")
expect(c:receive(8), "good day")
expect(counters("client").client_fallbacks, 2)
