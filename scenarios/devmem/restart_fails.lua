-- B-35: a queue whose restart fails receives on, in the middle of traffic, with the memory it had; and no other queue notices.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-35: a failed restart keeps the queue alive",
    source = "Linux netdev_rx_queue_restart; deviations B-35",
    requirements = { "DEVMEM-014", "DEVMEM-015" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", smc = false }
host "server" { address = "10.0.0.2/24", smc = false }
link("client", "server")

local d = server:devmem { queues = 3, buffer = "512 KiB" }
local id = d:bind { queues = { 1, 2 } }
d:steer { port = 15000, queue = 1 }
d:steer { port = 15001, queue = 2 }
local c1, s1 = connect(client, server, 15000)
local c2, s2 = connect(client, server, 15001)
c1:feed(400000, { seed = 1 })
c2:feed(400000, { seed = 2 })
local one, two = s1:devmem_read(50000), s2:devmem_read(50000)

for _, step in ipairs { { "alloc", "ENOMEM" }, { "stop", "EIO" }, { "start", "EIO" } } do
    local restarts = d:queue(1).restarts
    server:devmem_fault(step[1], { queue = 1 })
    local ok, err = d:restart(1)
    expect(err, step[2])
    expect(d:queue(1), { alive = true, dmabuf = id, memory = id, restarts = restarts, dead = 0 }, "after " .. step[1])
    expect(d:queue(2).alive, true)
    one = one .. s1:devmem_read(50000)
    two = two .. s2:devmem_read(50000)
end
expect(#server:devmem_state().log, 0)
expect(d:restart(1), 0)
expect(d:queue(1), { alive = true, memory = id })
one = one .. s1:devmem_read(200000)
two = two .. s2:devmem_read(200000)
expect_true(one == pattern(400000, { seed = 1 }), "the stream of the restarted queue is as it was sent")
expect_true(two == pattern(400000, { seed = 2 }), "that of the other one too")
local b = server:binding(id)
expect(b.available, b.chunks, "chunks that came back")
