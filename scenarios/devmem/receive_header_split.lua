-- A flow goes to a bound queue: the payload lands in device memory, the host sees headers, each byte is where its cmsg says.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Receive with header split",
    source = "Linux Documentation/networking/devmem.rst",
    requirements = { "DEVMEM-002", "DEVMEM-004", "DEVMEM-018", "DEVMEM-021" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", smc = false }
host "server" { address = "10.0.0.2/24", smc = false }
link("client", "server", { mtu = 1500 })

local d = server:devmem { queues = 4, buffer = "256 KiB" }
local id = d:bind { queues = { 3 } }
d:steer { port = 15000, queue = 3 }

local c, s = connect(client, server, 15000)
local data = pattern(100000, { seed = 11 })
local held = {}
c:feed(#data, { seed = 11 })
while #held == 0 do
    local m = s:devmem_receive(20000)
    for _, f in ipairs(m.fragments) do held[#held + 1] = f end
    expect(m.linear .. m.plain, "", "bytes that the host was given")
    expect(s:devmem_bytes(m), data:sub(1, m.bytes))
    data = data:sub(m.bytes + 1)
end
for _, f in ipairs(held) do
    expect(f.dmabuf, id)
    expect_true(f.size > 0 and f.size <= 4096 and f.offset + f.size <= 256 * 1024, "a fragment lies in the buffer")
end
expect(s:devmem_info().tokens, #held)
expect(s:dontneed(held), #held)
expect_true(s:devmem_read(#data) == data, "the rest of the stream is as it was sent")

-- A packet socket saw all of the packets, and of their payload nothing.
local tap = server:devmem_state().tap
expect_true(tap.bytes - tap.readable >= 100000, "the payload cannot be read by the host")
expect_true(d:queue(3).split >= 100000 // 1460, "packets were split")

-- Another flow, another queue: ordinary data, and no cmsg.
local c2, s2 = connect(client, server, 16000)
c2:send("ordinary")
local m = s2:devmem_receive(100)
expect(m.plain, "ordinary")
expect(#m.pieces, 0)
