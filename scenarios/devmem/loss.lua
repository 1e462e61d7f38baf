-- Loss, reordering, duplicates, corruption: fragments wait at their places in the stream, and no chunk is lost.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Device memory under loss",
    source = "Linux Documentation/networking/devmem.rst",
    requirements = { "DEVMEM-002", "DEVMEM-018", "DEVMEM-021" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", smc = false }
host "server" { address = "10.0.0.2/24", smc = false }
local l = link("client", "server", { mtu = 1500 })

local d = server:devmem { queues = 2, buffer = "1 MiB" }
local id = d:bind { queue = 1 }
d:steer { port = 15000, queue = 1 }
local c, s = connect(client, server, 15000)
l:loss("1 %")
l:reorder("3 %", "80 us")
l:duplicate("2 %")
l:corrupt("5000 ppm")
local data = pattern("1 MiB", { seed = 7 })
c:feed(#data, { seed = 7 })
local got = s:devmem_read(#data, { within = "60 s" })
expect_true(got == data, "the stream is as it was sent")
expect(s:devmem_info().tokens, 0)
l:clear()
wait_quiet()
expect(server:binding(id).available, server:binding(id).chunks)
expect(server:devmem_state().skbs, 0)
