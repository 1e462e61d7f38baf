-- Payload is changed on its way, behind every Ethernet check: the NIC finds the wrong checksum, the host could not, and TCP drops.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Corrupted payload in device memory",
    source = "Linux Documentation/networking/devmem.rst; RFC 9293 3.1",
    requirements = { "DEVMEM-018" },
    targets = { "sim", "ns3" },
    hostile = true, -- the network sends frames with wrong checksums
}

host "client" { address = "10.0.0.1/24", smc = false }
host "server" { address = "10.0.0.2/24", smc = false }
local l = link("client", "server", { mtu = 1500 })

local d = server:devmem { queues = 2, buffer = "1 MiB" }
local id = d:bind { queue = 1 }
d:steer { port = 15000, queue = 1 }
local c, s = connect(client, server, 15000)
l:corrupt_deep("2 %", "client")
local data = pattern("512 KiB", { seed = 18 })
c:feed(#data, { seed = 18 })
expect_true(s:devmem_read(#data, { within = "60 s" }) == data, "the stream is as it was sent")
l:clear()
expect(s:devmem_info().tokens, 0)
wait_quiet()
expect(server:binding(id).available, server:binding(id).chunks)

-- A NIC that verifies nothing: nobody can, so what is split gets no further than TCP; whole packets the host verifies itself.
local e = client:devmem { queues = 2, buffer = "64 KiB", checksum = false, split_above = 100 }
e:bind { queue = 1 }
e:steer { from_port = 17000, queue = 1 }
local c2, s2 = connect(client, server, 17000)
s2:send("whole")
expect(c2:devmem_receive(100).linear, "whole")
s2:send(pattern(1000))
local none, err = c2:devmem_receive(2000, { within = "5 s" })
expect(err, "EAGAIN")
expect_true(e:queue(1).split > 1, "split packets came, again and again")
