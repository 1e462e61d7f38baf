-- A queue belongs to one binding: a second one is refused, whoever asks, and changes nothing; after the first has gone it succeeds.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A second binding on a queue is refused",
    source = "Linux tools/net/ynl netdev bind-rx, Documentation/netlink/specs/netdev.yaml",
    requirements = { "DEVMEM-011" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", smc = false }
host "server" { address = "10.0.0.2/24", smc = false }
link("client", "server")

local d = server:devmem { queues = 4, buffer = "64 KiB" }
local first = d:bind { queues = { 1, 2 } }
local other = server:device_buffer "64 KiB"
local before = server:devmem_state()
local restarts = d:queue(3).restarts

for _, queues in ipairs { { 1 }, { 2 }, { 3, 2 }, { 1, 2, 3 } } do
    local id, err = d:bind { queues = queues, buffer = other }
    expect(id, nil)
    expect(err, "EEXIST")
    expect(d:queue(1).dmabuf, first)
    expect(d:queue(2).dmabuf, first)
    expect(d:queue(3).dmabuf, 0)
    expect(d:queue(3).restarts, restarts, "a queue that was free is not restarted either")
end
expect(server:devmem_state().bindings, before.bindings)
expect(server:devmem_state().pools, before.pools)

-- The bound queue works on.
d:steer { port = 15000, queue = 2 }
local c, s = connect(client, server, 15000)
c:feed(30000, { seed = 4 })
expect_true(s:devmem_read(30000) == pattern(30000, { seed = 4 }), "the stream is as it was sent")
expect_true(d:queue(2).split > 0, "by the bound queue")

d:unbind(first)
local second = d:bind { queues = { 3, 2, 1 }, buffer = other }
expect_true(second ~= first, "a new id")
expect(d:queue(1).dmabuf, second)
c, s = connect(client, server, 15000)
c:feed(30000, { seed = 5 })
expect_true(s:devmem_read(30000) == pattern(30000, { seed = 5 }), "the stream is as it was sent, now into the other buffer")
