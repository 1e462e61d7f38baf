-- The process that bound dies in the middle of the traffic: the stream goes on, from device memory into host memory.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The netlink socket closes under traffic",
    source = "Linux Documentation/networking/devmem.rst",
    requirements = { "DEVMEM-004", "DEVMEM-009", "DEVMEM-020" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", smc = false }
host "server" { address = "10.0.0.2/24", smc = false }
link("client", "server")

local d = server:devmem { queues = 2, buffer = "256 KiB" }
d:steer { port = 15000, queue = 1 }
local c, s = connect(client, server, 15000)
local total = 1000000
local data, at = pattern(total, { seed = 12 }), 0
local device, ordinary, turns = 0, 0, 0
local id
c:feed(total, { seed = 12 })
-- Bound and unbound again and again while the stream runs; what was received either way stands in its place.
while at < total do
    if turns % 8 == 0 then id = d:bind { queue = 1 } end
    if turns % 8 == 4 then
        d:unbind(id)
        expect(d:queue(1), { alive = true, dmabuf = 0 })
    end
    turns = turns + 1
    wait "30 us" -- so that both kinds lie there, one behind the other
    local m = s:devmem_receive(20000)
    expect_true(#m.plain == 0 or #m.pieces == 0, "one answer has one kind of data")
    expect_true(s:devmem_bytes(m) == data:sub(at + 1, at + m.bytes), "the stream is as it was sent")
    at = at + m.bytes
    for _, f in ipairs(m.fragments) do device = device + f.size end
    ordinary = ordinary + #m.plain
    if #m.fragments > 0 then expect(s:dontneed(m.fragments), #m.fragments) end
end
expect_true(device > total // 10 and ordinary > total // 10, "both kinds were received")
if d.netlinks[id] then d:unbind(id) end
wait_quiet()
expect(server:devmem_state().bindings, 0)
