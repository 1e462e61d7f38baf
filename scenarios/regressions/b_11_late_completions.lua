-- B-11: the connection is closed, or reset, while its sends are under way; their completions come late.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-11: completions after the socket has gone",
    source = "linux 349d43127dac",
    requirements = { "CDC-018" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")
server:listen(5000)

local kept, kept_s = connect(client, server, 5000) -- keeps the group
for _, late in ipairs { "1 ms", "100 ms", "1 s" } do
    for _, how in ipairs { "close", "abort" } do
        local c, s = connect(client, server, 5000)
        client:roce_fault("eth0", { "delay completion", operations = "send", every = 1, times = 0, argument = late })
        for i = 1, 10 do c:send(pattern(1000, { seed = i })) end
        if how == "abort" then c:set { linger = 0 } end
        c:close()
        if how == "abort" then s:close() else expect(#s:receive_all(), 10000) s:close() end
        wait "5 s"
        client:roce_fault("eth0")
        wait "5 s"
        expect_state(c, "CLOSED")
        expect_state(s, "CLOSED")
        kept:send(pattern(20000))
        expect(kept_s:receive(20000), pattern(20000))
    end
end
