-- B-45: a send completes after the buffer that it came from was given back.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-45: late completions need no send buffer",
    source = "CVE-2023-53110",
    requirements = { "CDC-018" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")
server:listen(5000)

for _, late in ipairs { "0 ns", "50 us", "500 ms" } do
    client:roce_fault("eth0", { "delay completion", operations = "send", every = 1, times = 0, argument = late })
    -- One that never had a buffer, one that had.
    for _, bytes in ipairs { 0, 100 } do
        local c, s = connect(client, server, 5000)
        if bytes > 0 then c:send(pattern(bytes)) end
        c:close()
        expect(#s:receive_all(), bytes)
        s:close()
        expect_state(c, "CLOSED")
        expect_state(s, "CLOSED")
    end
    client:roce_fault("eth0")
end
