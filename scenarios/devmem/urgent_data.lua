-- An urgent byte in device memory: the host cannot have it out of line, and the stream goes on behind it.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Urgent data in device memory",
    source = "Linux Documentation/networking/devmem.rst; RFC 6093",
    requirements = { "DEVMEM-001", "DEVMEM-021" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", smc = false }
host "server" { address = "10.0.0.2/24", smc = false }
link("client", "server")

local d = server:devmem { queues = 2, buffer = "64 KiB" }
local id = d:bind { queue = 1 }
d:steer { port = 15000, queue = 1 }
local c, s = connect(client, server, 15000)
c:urgent("before!")
c:send("behind")
wait "10 ms"
local none, err = s:read_urgent()
expect(none, nil)
expect(err, "PERMISSION")
local m = s:devmem_receive(100)
expect(s:devmem_bytes(m), "before")
expect(s:dontneed(m.fragments), 1)
m = s:devmem_receive(3)
expect(s:devmem_bytes(m), "beh")
expect(s:dontneed(m.fragments), 1)
expect(s:devmem_read(3), "ind")
expect(server:binding(id).available, server:binding(id).chunks)
