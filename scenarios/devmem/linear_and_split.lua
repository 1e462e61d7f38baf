-- What is too small to be split, and what stays with the headers, is host memory: copied, and announced as linear.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Linear bytes of a bound queue",
    source = "Linux Documentation/networking/devmem.rst",
    requirements = { "DEVMEM-003", "DEVMEM-019" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", smc = false }
host "server" { address = "10.0.0.2/24", smc = false }
link("client", "server")

-- Packets of at most 200 bytes stay whole; of larger ones the first 100 bytes stay with the headers.
local d = server:devmem { queues = 2, buffer = "64 KiB", split_above = 200, split_late = 100 }
d:bind { queue = 1 }
d:steer { port = 15000, queue = 1 }
local c, s = connect(client, server, 15000, { nodelay = true })

c:send("small")
local m = s:devmem_receive(1000)
expect(m.linear, "small")
expect(#m.pieces, 1)
expect(m.pieces[1], { kind = "LINEAR", size = 5, offset = 0, token = 0, dmabuf = 0 })
expect(#m.fragments, 0)

c:send(pattern(200))
m = s:devmem_receive(1000)
expect(m.linear, pattern(200))
expect(#m.fragments, 0)
c:send(pattern(201))
m = s:devmem_receive(1000)
expect(m.linear, pattern(100))
expect(#m.fragments, 1)
expect(s:devmem_bytes(m), pattern(201))
expect(s:dontneed(m.fragments), 1)

local large = pattern(1000)
c:send(large)
m = s:devmem_receive(2000)
expect(#m.pieces, 2)
expect(m.pieces[1].kind .. " " .. m.pieces[2].kind, "LINEAR DMABUF")
expect(m.pieces[1].bytes, large:sub(1, 100))
expect(m.pieces[2].size, 900)
expect(s:devmem_bytes(m), large)
expect(s:dontneed(m.fragments), 1)

-- A whole packet of a bound queue is readable, so it can be received without the flag; a split one cannot, not even its head.
c:send("whole")
expect(s:devmem_receive(100, { flag = false }).plain, "whole")
c:send(large)
wait "10 ms"
local none, err = s:devmem_receive(50, { flag = false })
expect(err, "EFAULT")
expect(s:devmem_read(1000), large)
