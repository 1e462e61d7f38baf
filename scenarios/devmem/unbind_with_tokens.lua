-- The netlink socket closes while fragments are held: the queue goes back to host memory at once, the fragments stay good.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Unbind while tokens are held",
    source = "Linux Documentation/networking/devmem.rst",
    requirements = { "DEVMEM-005", "DEVMEM-009", "DEVMEM-020" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", smc = false }
host "server" { address = "10.0.0.2/24", smc = false }
link("client", "server", { mtu = 1500 })

local d = server:devmem { queues = 2, buffer = "128 KiB" }
local id = d:bind { queue = 1 }
d:steer { port = 15000, queue = 1 }
local c, s = connect(client, server, 15000)
local held = {}
c:feed(40000, { seed = 21 })
local first = s:devmem_read(40000, { keep = held })
expect(first == pattern(40000, { seed = 21 }), true)
expect_true(#held > 20, "fragments are held")

d:unbind(id)
expect(d:queue(1), { alive = true, dmabuf = 0, memory = 0 })
expect(server:binding(id), { bound = false })

-- What comes now is ordinary, on the same connection.
c:send("after the binding")
local m = s:devmem_receive(100)
expect(m.plain, "after the binding")
expect(#m.pieces, 0)

-- What was received before is where it was.
local again = {}
for i, f in ipairs(held) do again[i] = d.buffer:read(f.offset, f.size) end
expect_true(table.concat(again) == first, "held fragments have not changed")

-- A new binding of the same buffer to the same queue may exist beside the old one.
local second = d:bind { queue = 1, buffer = server:device_buffer "64 KiB" }
expect_true(second ~= id, "a new id while the old one is known")
c:send("second binding")
m = s:devmem_receive(100)
expect(m.fragments[1].dmabuf, second)
expect(s:dontneed(m.fragments), 1)

-- The last token ends the first one.
local last = table.remove(held)
while #held > 0 do
    local some = { table.unpack(held, 1, 64) }
    expect(s:dontneed(some), #some)
    held = { table.unpack(held, #some + 1) }
end
expect(server:binding(id).bound, false, "known as long as one fragment is out")
expect(s:dontneed { last }, 1)
expect(server:binding(id), nil)
expect(server:binding(second).bound, true)
