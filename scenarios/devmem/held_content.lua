-- A few fragments are held while a hundred times the buffer goes past: they do not change, until they are given back.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Held fragments stay as they are",
    source = "Linux Documentation/networking/devmem.rst",
    requirements = { "DEVMEM-005", "DEVMEM-021" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", smc = false }
host "server" { address = "10.0.0.2/24", smc = false }
link("client", "server", { mtu = 1500 })

local d = server:devmem { queues = 2, buffer = "128 KiB", pack = true } -- packets share chunks
local id = d:bind { queue = 1 }
d:steer { port = 15000, queue = 1 }
local c, s = connect(client, server, 15000)
local kept, bytes = {}, {}
local data = pattern("2 MiB", { seed = 6 })
local at = 0
c:feed(#data, { seed = 6 })
while at < #data do
    local m = s:devmem_receive(16384)
    expect_true(s:devmem_bytes(m) == data:sub(at + 1, at + m.bytes), "the stream is as it was sent")
    at = at + m.bytes
    local back = {}
    for i, f in ipairs(m.fragments) do
        if #kept < 8 and i == 1 then
            kept[#kept + 1] = f
            bytes[#kept] = d.buffer:read(f.offset, f.size)
        else
            back[#back + 1] = f
        end
    end
    expect(s:dontneed(back), #back)
end
expect(#kept, 8)
for i, f in ipairs(kept) do expect(d.buffer:read(f.offset, f.size), bytes[i], "fragment " .. i .. " that was held") end
expect(s:dontneed(kept), 8)
d:restart(1) -- the chunk that the queue had begun to fill is given back
expect(server:binding(id).available, server:binding(id).chunks)
