-- Three queues take their chunks from one buffer: three flows at once, and no chunk belongs to two of them.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Several queues on one buffer",
    source = "Linux Documentation/networking/devmem.rst",
    requirements = { "DEVMEM-002", "DEVMEM-005", "DEVMEM-021" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", smc = false }
host "server" { address = "10.0.0.2/24", smc = false }
link("client", "server", { mtu = 1500 })

local d = server:devmem { queues = 4, buffer = "1 MiB" }
local id = d:bind { queues = { 1, 2, 3 } }
local flows, taken = {}, {}
for q = 1, 3 do
    d:steer { port = 15000 + q, queue = q }
    local c, s = connect(client, server, 15000 + q)
    flows[q] = { c = c, s = s, data = pattern(60000, { seed = q }), at = 0, held = {} }
    c:feed(60000, { seed = q })
end

-- In turns, with everything held: a byte of the buffer is given to one fragment only.
local left = 3
while left > 0 do
    left = 0
    for q, f in ipairs(flows) do
        if f.at < 60000 then
            local m = f.s:devmem_receive(7000)
            expect(f.s:devmem_bytes(m), f.data:sub(f.at + 1, f.at + m.bytes))
            f.at = f.at + m.bytes
            for _, g in ipairs(m.fragments) do
                expect(g.dmabuf, id)
                f.held[#f.held + 1] = g
                taken[#taken + 1] = g
            end
            left = left + 1
        end
    end
end
table.sort(taken, function(a, b) return a.offset < b.offset end)
for i = 2, #taken do
    expect_true(taken[i - 1].offset + taken[i - 1].size <= taken[i].offset, "two fragments overlap in the buffer")
end
for q, f in ipairs(flows) do
    expect_true(d:queue(q).split > 0, "queue " .. q .. " split packets")
    while #f.held > 0 do
        local some = { table.unpack(f.held, 1, 100) }
        expect(f.s:dontneed(some), #some)
        f.held = { table.unpack(f.held, #some + 1) }
    end
end
local b = server:binding(id)
expect(b.available, b.chunks, "chunks that came back")
