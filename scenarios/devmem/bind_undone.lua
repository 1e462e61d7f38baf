-- Whatever step of a bind fails, the half-built binding is undone: nothing of it is left, and the queues receive as before.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A bind that fails half way",
    source = "Linux net/core/devmem, netdev_rx_queue_restart",
    requirements = { "DEVMEM-014", "DEVMEM-015", "DEVMEM-016" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", smc = false }
host "server" { address = "10.0.0.2/24", smc = false }
link("client", "server")

local d = server:devmem { queues = 3, buffer = "64 KiB" }
d:steer { port = 15000, queue = 1 }
d:steer { port = 15001, queue = 2 }
local c1, s1 = connect(client, server, 15000)
local c2, s2 = connect(client, server, 15001)

local steps = {
    { "get", "EBADFD" }, { "attach", "EIO" }, { "map", "EIO" }, { "chunks", "ENOMEM" },
    { "alloc", "ENOMEM", queue = 1 }, { "alloc", "ENOMEM", queue = 2 },
    { "stop", "EIO", queue = 1 }, { "stop", "EIO", queue = 2 },
    { "start", "EIO", queue = 1 }, { "start", "EIO", queue = 2 },
}
for i, step in ipairs(steps) do
    local before = server:devmem_state()
    server:devmem_fault(step[1], { queue = step.queue })
    local id, err = d:bind { queues = { 1, 2 } }
    expect(id, nil)
    expect(err, step[2], step[1])
    local after = server:devmem_state()
    expect(after.bindings, 0)
    expect(after.pools, before.pools)
    expect(#after.log, 0)
    for q = 1, 2 do expect(d:queue(q), { alive = true, dmabuf = 0, memory = 0 }, "queue " .. q .. " after " .. step[1]) end
    c1:send("one " .. i)
    c2:send("two " .. i)
    expect(s1:devmem_receive(100).plain, "one " .. i)
    expect(s2:devmem_receive(100).plain, "two " .. i)
end

-- Nothing is in the way of the next one.
local id = d:bind { queues = { 1, 2 } }
expect(server:binding(id).available, server:binding(id).chunks)
c1:send("device memory")
local m = s1:devmem_receive(100)
expect(#m.fragments, 1)
expect(s1:devmem_bytes(m), "device memory")
