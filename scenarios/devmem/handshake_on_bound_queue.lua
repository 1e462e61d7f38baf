-- SMC's own messages come by a bound queue. Whole packets SMC can read; split ones it cannot, and then the connection fails in order.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A CLC handshake on a bound queue",
    source = "Linux Documentation/networking/devmem.rst; RFC 7609 3.5.1",
    requirements = { "DEVMEM-001", "DEVMEM-010" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
host "third" { address = "10.0.0.3/24" }
switch "sw0"
for _, h in ipairs { "client", "server", "third" } do link(h, "sw0", { mtu = 1500 }) end

-- A NIC that splits only what is larger than any message of the handshake.
local e = third:devmem { queues = 2, buffer = "64 KiB", split_above = 700 }
e:bind { queue = 1 }
e:steer { port = 15000, queue = 1 }
local x, y = connect(client, third, 15000)
expect(x.mode, "SMC-R")
expect(y.mode, "SMC-R")
expect_true(e:queue(1).packets > 2, "the handshake came by the bound queue")
transfer { from = x, to = y, bytes = "64 KiB", both_ways = true }
x:close()
y:close()
expect_state(x, "CLOSED", { within = "5 s" })
expect_state(y, "CLOSED", { within = "5 s" })

-- A NIC that splits everything: the Proposal is in device memory, and nobody but the device can read it.
local d = server:devmem { queues = 2, buffer = "64 KiB" }
local id = d:bind { queue = 1 }
d:steer { port = 15000, queue = 1 }
server:listen(15000)
local c = client:connect(server, 15000)
expect_message { "CLC Proposal", from = "client", to = "server" }
expect_no_message { "CLC Accept", from = "server", within = "5 s" }
expect_error(c, "TIMEOUT")
expect(c.mode, "none")
c:close()
wait "20 s"
expect(server:try_accept(15000), nil)
expect_groups("server", 0)
expect(server:binding(id).available, server:binding(id).chunks)

-- The same listener, once the flow goes elsewhere.
d:unsteer(0)
local c2 = client:connect(server, 15000)
local s2 = server:accept(15000)
expect(c2:connected(), "SMC-R")
expect(s2.mode, "SMC-R")
