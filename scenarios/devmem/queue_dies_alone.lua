-- Not even the old memory can be started again: that is logged, this queue drops everything, every other one works on.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A dead queue is alone",
    source = "Linux netdev_rx_queue_restart",
    requirements = { "DEVMEM-014" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", smc = false }
host "server" { address = "10.0.0.2/24", smc = false }
link("client", "server")

local d = server:devmem { queues = 3, buffer = "256 KiB" }
local id = d:bind { queues = { 1, 2 } }
d:steer { port = 15000, queue = 1 }
d:steer { port = 15001, queue = 2 }
local c1, s1 = connect(client, server, 15000)
local c2, s2 = connect(client, server, 15001)
c1:send("before")
expect(s1:devmem_read(6), "before")

server:devmem_fault("start", { queue = 1 })
server:devmem_fault("restore", { queue = 1 })
local ok, err = d:restart(1)
expect(err, "EIO")
local log = server:devmem_state().log
expect(#log, 1)
expect(log[1].queue, 1)
expect(d:queue(1).alive, false)
expect(d:queue(0).alive and d:queue(2).alive, true)

c1:send("into the void")
wait "2 s"
expect_true(d:queue(1).dead > 0, "the dead queue counts what it drops")
local none, why = s1:devmem_receive(100, { within = "1 s" })
expect(why, "EAGAIN")
c2:feed(100000, { seed = 9 })
expect_true(s2:devmem_read(100000) == pattern(100000, { seed = 9 }), "the other queue of the binding works")
_, err = d:restart(1)
expect(err, "EIO")

-- Its flow is saved by another queue: TCP sends again what was lost.
d:unsteer(0)
expect(s1:devmem_read(13), "into the void")
d:unbind(id)
expect(server:binding(id), nil)
