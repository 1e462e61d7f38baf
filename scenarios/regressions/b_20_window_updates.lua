-- B-20: a reader that takes small pieces tells its cursor when it is worth a message, not every 2304 bytes.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-20: window updates are a tenth of the ring, not the smaller of two limits",
    source = "RFC 7609 4.5.1; linux 6bf536eb5c8c",
    requirements = { "CURSOR-010", "CURSOR-023" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")

local c, s = connect(client, server, 5000, { rmb = "64 KiB" })
for _ = 1, 20 do
    c:send(pattern(60000))
    wait "1 ms"
    for _ = 1, 24 do s:receive(2500) end
end
-- 20 times 60,000 bytes of which an update is due every 6554 at most, and the window more than half open for most of them.
local updates = count_messages { "CDC", from = "server" }
expect_true(updates <= 200, "the server sent " .. updates .. " CDCs for 480 reads")
expect_true(updates >= 20, "the server sent only " .. updates .. " CDCs")
