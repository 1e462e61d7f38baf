-- A CONFIRM RKEY of three keys is complete with its first continuation: one more belongs to nothing, and is not answered.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A continuation too many",
    source = "RFC 7609 A.3.6",
    requirements = { "LLC-057" },
    targets = { "sim", "ns3" },
    hostile = true,
}

expect_finding { id = "LLC-050", by = "client" }
expect_finding { id = "LLC-057", by = "client" }

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
wait_quiet()
skip_messages()
c:inject { "CONFIRM RKEY", other_count = 3, rkey = 0x1003, va = 0x100000, link1 = 77, link2 = 78 }
expect_message { "CONFIRM RKEY", from = "server", response = true, negative = false }
c:inject { "CONFIRM RKEY CONTINUATION", rtoken_count = 1, link1 = 88, rkey1 = 5 }
expect_message { "CONFIRM RKEY CONTINUATION", from = "server", response = true, negative = false }
local dropped = counters("server").llc_dropped
c:inject { "CONFIRM RKEY CONTINUATION", rtoken_count = 0 }
expect_no_message { "CONFIRM RKEY CONTINUATION", from = "server", within = "100 ms" }
expect(counters("server").llc_dropped, dropped + 1)
c:send("still here")
expect(s:receive(10), "still here")
wait "1 s"
