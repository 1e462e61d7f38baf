-- Normal, half and abortive close over ISM, loopback and ivshmem: states, flags, and the end that the other side sees.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The ways to close, over each device",
    source = "linux net/smc/smc_close.c",
    requirements = { "SMCD-005" },
    targets = { "sim", "ns3" },
}

for i, kind in ipairs { "ism", "loopback", "ivshmem" } do
    local names = { "client" .. i, "server" .. i }
    for k, name in ipairs(names) do
        host(name) { address = "10.0." .. i .. "." .. k .. "/24", machine = "m" .. i, devices = { kind } }
    end
    link(names[1], names[2])
    local a, b = _G[names[1]], _G[names[2]]

    local c, s = connect(a, b)
    expect(c.mode, "SMC-D")
    c:send("last words")
    c:close()
    expect_state(s, "APPCLOSEWAIT1")
    expect(s:receive_all(), "last words")
    s:close()
    expect_state(s, "CLOSED")
    expect_state(c, "CLOSED")

    c, s = connect(a, b)
    c:shutdown("write")
    s:at_end()
    s:send(pattern(50000, { seed = 5 }))
    expect(c:receive(50000), pattern(50000, { seed = 5 }))
    s:close()
    c:at_end()
    c:close()
    expect_state(s, "CLOSED")
    expect_state(c, "CLOSED")

    c, s = connect(a, b)
    s:send("never read")
    c:set { linger = 0 }
    c:close()
    expect_error(s, "RESET")
    s:close()
    expect_state(s, "CLOSED")
    c, s = connect(a, b)
    expect(c.mode, "SMC-D", "the group goes on after an abort")
    transfer { from = c, to = s, bytes = "50 KiB", both_ways = true }
end
