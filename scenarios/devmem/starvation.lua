-- An application keeps its tokens until the pool is empty: packets are dropped and counted; once tokens come back all goes on.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Starvation and recovery",
    source = "Linux Documentation/networking/devmem.rst",
    requirements = { "DEVMEM-005", "DEVMEM-017" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", smc = false }
host "server" { address = "10.0.0.2/24", smc = false }
link("client", "server", { mtu = 1500 })

local d = server:devmem { queues = 3, buffer = "64 KiB" } -- 16 chunks
local id = d:bind { queue = 1 }
d:steer { port = 15000, queue = 1 }
local c, s = connect(client, server, 15000)
local data = pattern(300000, { seed = 5 })
c:feed(#data, { seed = 5 })

-- It reads all that comes, and gives nothing back.
local held, got = {}, ""
while true do
    local m, err = s:devmem_receive(65536, { within = "3 s" })
    if not m then
        expect(err, "EAGAIN")
        break
    end
    got = got .. s:devmem_bytes(m)
    for _, f in ipairs(m.fragments) do held[#held + 1] = f end
end
expect_true(#got < #data, "it starves")
expect_true(d:queue(1).no_memory > 0, "the queue counts what it dropped for want of memory")
expect(server:binding(id).available, 0)
expect(got == data:sub(1, #got), true)

-- Another queue does not starve with it.
local c2, s2 = connect(client, server, 16000)
c2:send("alive")
expect(s2:receive(5), "alive")

-- What is held has not been written over.
local again = {}
for i, f in ipairs(held) do again[i] = d.buffer:read(f.offset, f.size) end
expect_true(table.concat(again) == got, "held fragments have not changed")

-- One chunk comes back, then all of them.
expect(s:dontneed { held[1] }, 1)
local m = s:devmem_receive(65536, { within = "300 s" })
got = got .. s:devmem_bytes(m)
expect(s:dontneed(m.fragments), #m.fragments)
table.remove(held, 1)
expect(s:dontneed(held), #held)
got = got .. s:devmem_read(#data - #got, { within = "300 s" })
expect_true(got == data, "the stream is as it was sent")
expect(server:binding(id).available, server:binding(id).chunks)
