-- An SMC-R host with a bound queue: SMC-R goes by the RDMA queues, TCP into device memory, and neither is in the other's way.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "SMC-R and device memory on one host",
    source = "Linux Documentation/networking/devmem.rst",
    requirements = { "DEVMEM-002", "DEVMEM-018" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server", { mtu = 1500 })

local d = server:devmem { queues = 4, buffer = "256 KiB" }
local id = d:bind { queues = { 1, 2 } }
local c, s = connect(client, server, 15000)
expect(s.mode, "SMC-R")
d:steer { port = 15000, queue = 1 } -- from now on; there is nothing to be read on its TCP any more
d:steer { port = 16000, queue = 2 }
local c2, s2 = connect(client, server, 16000, { tcp_only = true })
expect(s2.mode, "TCP")

local smc = transfer { from = c, to = s, bytes = "1 MiB", both_ways = true, background = true }
local data = pattern(500000, { seed = 15 })
c2:feed(#data, { seed = 15 })
expect_true(s2:devmem_read(#data) == data, "the stream is as it was sent")
smc:finish()
expect(d:queue(1).split, 0)
expect_true(d:queue(2).split > 300, "TCP by the bound queue")
expect(select(2, s:devmem_receive(10)), "EBADF")
c:close()
s:close()
expect_state(c, "CLOSED", { within = "5 s" })
expect_state(s, "CLOSED", { within = "5 s" })
expect(server:binding(id).available, server:binding(id).chunks)
