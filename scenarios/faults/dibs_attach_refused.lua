-- A device that could do without copying refuses to attach: then data are copied.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Attach refused",
    source = "state-machines: loopback",
    requirements = { "SMCD-028", "SMCD-020" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { { "loopback", name = "dev" } }, no_copy = true }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { { "loopback", name = "dev" } }, no_copy = true }
link("client", "server")
server:listen(5000)

for times = 0, 2 do
    client:fault("dev", "attach", { times = times, error = "NOMEM" })
    local c, s = connect(client, server, 5000)
    expect(c.mode, "SMC-D")
    transfer { from = c, to = s, bytes = "200 KiB", both_ways = true, chunk = 3000 }
    c:close()
    s:close()
    expect_state(c, "CLOSED")
end
