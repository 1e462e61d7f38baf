-- B-38: cursors in a CDC that lie outside the ring, or further ahead than it is large.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-38: wire-controlled cursors are held inside the ring",
    source = "series \"bound wire-controlled CDC cursors against the local buffers\"",
    requirements = { "CURSOR-006", "CURSOR-007", "CURSOR-025", "CURSOR-026", "CURSOR-027" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")
server:listen(5000, { rmb = "16 KiB" })
server:listen(5001)

local function lie(what)
    local c, s = connect(client, server, 5000)
    local other, other_s = connect(client, server, 5001)
    c:send("abc")
    expect(s:receive(3), "abc")
    what[1] = "CDC"
    what.seqno = 2
    c:inject(what)
    expect_error(s, "PROTOCOL", { within = "1 s" })
    expect_true(s:try_receive(100000) == "", "bytes that nobody sent were delivered")
    other:send(pattern(40000))
    expect(other_s:receive(40000), pattern(40000))
    c:close()
    s:close()
    other:close()
    other_s:close()
    wait "1 s"
end

lie { prod_count = 16384 }
lie { prod_count = 0xffffffff }
lie { prod_wrap = 2, prod_count = 3 }
lie { prod_wrap = 1, prod_count = 4 }
lie { prod_count = 16384, urgent_present = true, urgent_pending = true }
lie { prod_count = 0xffffffff, urgent_present = true, urgent_pending = true }

for _, id in ipairs { "CURSOR-006", "CURSOR-007", "CURSOR-025", "CURSOR-027", "CDC-007" } do expect_finding { id = id, by = "client" } end
expect_finding { id = "CDC-002", by = "client" } -- the core of the client does not know what was said in its name
