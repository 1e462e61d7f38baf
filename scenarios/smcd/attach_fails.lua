-- The device refuses to attach at one side, then at both: the connection works with copies there.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The peer's DMB cannot be attached: data are copied",
    source = "dibs include/linux/dibs.h",
    requirements = { "SMCD-020", "SMCD-028" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", no_copy = true, devices = { "loopback" } }
host "server" { address = "10.0.0.2/24", machine = "m", no_copy = true, devices = { "loopback" } }
link("client", "server")
for times = 1, 2 do
    client:fault("loopback", "attach", { times = times, error = "GONE" })
    local c, s = connect(client, server)
    expect(c.mode, "SMC-D")
    transfer { from = c, to = s, bytes = "300 KiB", both_ways = true }
    c:close()
    s:close()
    expect_state(c, "CLOSED")
    expect_state(s, "CLOSED")
end
