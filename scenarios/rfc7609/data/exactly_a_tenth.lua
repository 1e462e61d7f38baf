-- A tenth of the ring (26,214 of 262,140 bytes) is not more than a tenth: one byte more is reported.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A gain of exactly a tenth is not reported yet",
    source = "RFC 7609 4.5.1",
    requirements = { "CURSOR-010" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = "rfc", rmb = "256 KiB", sndbuf = "512 KiB" }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = "rfc", rmb = "256 KiB" }
link("client", "server")

local c, s = connect(client, server)
expect(s.rmb_bytes, 262144)
c:send(pattern(200000))
wait "10 ms"
skip_messages()
expect(#s:receive(26214), 26214)
expect_no_message { "CDC", from = "server", within = "10 ms" }
expect(#s:receive(1), 1)
expect_message { "CDC", from = "server", within = "1 ms" }
wait "1 s"
