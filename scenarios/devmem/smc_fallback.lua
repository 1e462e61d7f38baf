-- A host with SMC declines: the connection goes on as TCP, and its payload can go to device memory like any other.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Device memory on a connection that fell back",
    source = "Linux Documentation/networking/devmem.rst",
    requirements = { "DEVMEM-002", "DEVMEM-004" },
    targets = { "sim", "ns3" },
}

switch "sw0"
host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24", ipsec = true }
host "other" { address = "10.0.0.3/24" }
for _, h in ipairs { "client", "server", "other" } do link(h, "sw0", { mtu = 1500 }) end

local d = server:devmem { queues = 2, buffer = "512 KiB" }
local id = d:bind { queue = 1 }

-- The handshake's messages come by an ordinary queue: they are for SMC to read.
local c, s = connect(client, server, 15000)
expect(c.mode, "TCP")
expect(s.mode, "TCP")
expect_message { "CLC Decline" }

s:send("first the other way")
expect(c:receive(19), "first the other way")
d:steer { port = 15000, queue = 1 }
local data = pattern(120000, { seed = 14 })
c:feed(#data, { seed = 14 })
local held = {}
expect_true(s:devmem_read(#data, { keep = held }) == data, "the stream is as it was sent")
expect_true(#held > 60, "by device memory")
s:close()
c:close()
wait "5 s"
expect(server:binding(id).available, server:binding(id).chunks)

-- A connection that stays SMC-R beside it: RDMA does not pass the queues, bound or not.
d:steer { port = 15001, queue = 0 }
local c2, s2 = connect(client, other, 15001)
expect(c2.mode, "SMC-R")
transfer { from = c2, to = s2, bytes = "256 KiB", both_ways = true }
