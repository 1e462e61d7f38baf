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
for round = 1, 66 do
    for i = 1, 1000 do
        c:send("x")
        s:receive(1)
    end
end
if not real_time() then expect(c.tx_cdc, 66000) end
expect_true(c.tx_cdc >= 66000 or s.rx_cdc >= 66000, "fewer messages were sent than there are numbers") -- a kernel does not count its own
c:send("end")
expect(s:receive(3), "end")
wait "1 s"
