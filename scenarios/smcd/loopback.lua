-- Two containers of one machine meet over its loopback: CHID 0xFFFF, both halves of the GID equal, copies or none.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "SMC-D over the loopback device",
    source = "dibs drivers/dibs/dibs_loopback.c",
    requirements = { "SMCD-022", "SMCD-023", "CLC-071", "CLC-070", "DIBS-008" },
    targets = { "sim", "ns3" },
}

for i, no_copy in ipairs { false, true } do
    local names = { "client" .. i, "server" .. i }
    for k, name in ipairs(names) do
        host(name) { address = "10.0." .. i .. "." .. k .. "/24", machine = "m" .. i, no_copy = no_copy, devices = { "loopback" } }
    end
    link(names[1], names[2])
    local c, s = connect(_G[names[1]], _G[names[2]])
    expect(c.mode, "SMC-D")
    expect(c.version, 2)
    local a = expect_message { "CLC Accept", from = names[2], chid = 0xffff, first_contact = true }
    local f = expect_message { "CLC Confirm", from = names[1], chid = 0xffff }
    expect(f.gid, a.gid, "one device has one GID")
    expect(f.gid_ext, a.gid_ext)
    for _, n in ipairs { 1, 31, 32, 33, 4096, 50000 } do
        c:send(pattern(n, { seed = n }))
        expect(s:receive(n), pattern(n, { seed = n }))
    end
    local c2, s2 = connect(_G[names[1]], _G[names[2]])
    expect(c2.group, c.group)
    transfer { from = c2, to = s2, bytes = "1 MiB", both_ways = true }
    -- An echo from within one instant: the receiver never runs inside the sender's call.
    for n = 1, 20 do
        c:send(pattern(n, { seed = n }))
        s:send(s:receive(n))
        expect(c:receive(n), pattern(n, { seed = n }))
    end
    c:close()
    s:at_end()
    s:close()
    expect_state(c, "CLOSED")
    expect_state(s, "CLOSED")
end
expect_true(count_messages { "SMC-D attach" } > 0, "the second pair attached no DMB")
