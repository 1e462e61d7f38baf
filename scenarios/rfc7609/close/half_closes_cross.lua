-- Both shut their sending side at the same moment; both are then in PEERCLOSEWAIT2.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Two half closes cross",
    source = "RFC 7609 4.8.1",
    requirements = { "CLOSE-007" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
local wire = link("client", "server")

local c, s = connect(client, server)
c:send("from c")
s:send("from s")
wait_for(function() return c.readable == 6 and s.readable == 6 end, "the bytes are there")
-- Neither hears of the other's before it has sent its own.
wire:hold { "CDC", from = "client", count = 1000 }
wire:hold { "CDC", from = "server", count = 1000 }
c:shutdown("write")
s:shutdown("write")
wait(real_time() and "400 ms" or "1 ms")
wire:release()
wire:clear()
expect_state(c, "PEERCLOSEWAIT2")
expect_state(s, "PEERCLOSEWAIT2")
expect(c:receive_all(), "from s")
expect(s:receive_all(), "from c")
s:close()
c:close()
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
wait "1 s"
