-- B-38: thousands of forged CDCs, each of which could pass by itself, do not add up to more than the ring.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-38: forged CDCs do not accumulate",
    source = "series \"bound wire-controlled CDC cursors against the local buffers\"",
    requirements = { "CURSOR-007", "CURSOR-026" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")
server:listen(5000, { rmb = "16 KiB" })
for _, id in ipairs { "CURSOR-007", "CDC-002", "CDC-007" } do expect_finding { id = id, by = "client" } end

local c, s = connect(client, server, 5000)
local seq = 1
for at = 1, 40 do
    -- Half a ring each: the third one lies.
    c:inject { "CDC", seqno = seq, prod_count = at * 8192 % 16384, prod_wrap = at * 8192 // 16384 }
    seq = seq + 1
    wait "10 us"
    if s.error then break end
    expect_true(s.readable <= 16384, "more can be read than there is room for")
end
expect_error(s, "PROTOCOL", { within = "1 s" })
