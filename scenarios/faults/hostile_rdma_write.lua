-- RDMA WRITEs outside of what was offered: before, behind, with keys of nobody, into a neighbour.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "RDMA WRITE outside",
    source = "RFC 7609 4.3; InfiniBand 10.6",
    requirements = { "ROCE-001", "ROCE-002", "ROCE-003" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
    any_version = true,
    hostile = true,
}

expect_finding { id = "CLC-042", by = "server" }
expect_finding { id = "CLC-038", by = "client", maybe = true } -- 4096 bytes and more from 0xfffffffffffff000 on end at 0 and beyond
if real_time() then expect_finding { id = "*", by = "server", maybe = true } end -- what follows depends on the real host's answer

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local function works(c, s)
    c:send(pattern(20000, { seed = 7 }))
    expect(s:receive(20000), pattern(20000, { seed = 7 }))
    s:send(pattern(20000, { seed = 8 }))
    expect(c:receive(20000), pattern(20000, { seed = 8 }))
end
server:listen(5000)
-- The server names memory that is not its own: what the client writes there, the server's device refuses.
for _, lie in ipairs { { rmb_va = 0 }, { rmb_va = 0xfffffffffffff000 }, { rkey = 0x12345678 }, { rkey = 0 }, { bsize = 5 }, { rmbe_index = 200 } } do
    lie[1] = "CLC Accept"
    server:edit(lie)
    local c = client:connect(server, 5000)
    local s = server:accept(5000, { within = "20 s" })
    c:connected { within = "20 s" }
    if c.mode == "SMC-R" then
        c:try_send(pattern(100000))
        wait "5 s"
        expect(s:try_receive(200000) == "" or lie.bsize ~= nil, true)
    end
    c:close()
    s:close()
    groups_end("client", "server")
end
local c, s = connect(client, server, 5000)
works(c, s)
