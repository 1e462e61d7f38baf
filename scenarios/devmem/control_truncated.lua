-- The control buffer is too small: the call stops before the fragment that has no room, says so, and no token is lost.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Truncated control messages",
    source = "Linux Documentation/networking/devmem.rst",
    requirements = { "DEVMEM-002" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", smc = false }
host "server" { address = "10.0.0.2/24", smc = false }
link("client", "server", { mtu = 1500 })

local d = server:devmem { queues = 2, buffer = "256 KiB" }
local id = d:bind { queue = 1 }
d:steer { port = 15000, queue = 1 }
local c, s = connect(client, server, 15000)
local data = pattern(20000, { seed = 8 })
c:send(data)
wait "100 ms"
local pieces = s:devmem_info().fragments
expect_true(pieces > 8, "there are many fragments")

-- Not even one has room.
for _, room in ipairs { 0, 1, 39 } do
    local none, err = s:devmem_receive(20000, { control = room })
    expect(err, "ETOOSMALL")
    expect(s:devmem_info(), { tokens = 0, fragments = pieces })
end

-- Two have: two tokens, the rest waits.
local m = s:devmem_receive(20000, { control = 2 * 40 + 39 })
expect(m.truncated, true)
expect(#m.fragments, 2)
expect(s:devmem_info(), { tokens = 2, fragments = pieces - 2 })
local got, tokens = s:devmem_bytes(m), 2

-- One at a time to the end; the last one is not truncated.
local held = m.fragments
while #got < #data do
    m = s:devmem_receive(20000, { control = 40 })
    expect(#m.fragments, 1)
    expect(m.truncated, #got + m.bytes < #data)
    got = got .. s:devmem_bytes(m)
    held[#held + 1] = m.fragments[1]
end
expect_true(got == data, "the stream is as it was sent")
expect(s:devmem_info(), { tokens = #held, fragments = 0 })
expect(s:dontneed(held), #held)
expect(server:binding(id).available, server:binding(id).chunks)
