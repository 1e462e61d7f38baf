-- 66,000 messages of one byte: the CDC sequence number goes past 65535.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Sequence and wrap counters run over",
    source = "RFC 7609 4.2, 4.4.1",
    requirements = { "CDC-002", "CDC-004", "CURSOR-009" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
if real_time() then -- each call to a real host takes a millisecond or more: it sends by itself, and puts some bytes into one message
    for round = 1, 100 do
        transfer { from = c, to = s, bytes = 20000, chunk = 1, within = "60 s" }
        if c.tx_cdc + s.rx_cdc > 66000 then break end -- of the one that is ours; a kernel does not count
    end
    expect_true(c.tx_cdc + s.rx_cdc > 66000, "fewer messages were sent than there are numbers")
else
    for round = 1, 66 do
        for i = 1, 1000 do
            c:send("x")
            s:receive(1)
        end
    end
    expect(c.tx_cdc, 66000)
end
c:send("end")
expect(s:receive(3), "end")
wait "1 s"
