-- recv without MSG_SOCK_DEVMEM meets device memory: EFAULT, again and again, and nothing is lost by it.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "recv without the flag",
    source = "Linux Documentation/networking/devmem.rst",
    requirements = { "DEVMEM-001" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", smc = false }
host "server" { address = "10.0.0.2/24", smc = false }
link("client", "server")

local d = server:devmem { queues = 2, buffer = "64 KiB" }
local id = d:bind { queue = 1 }
local c, s = connect(client, server, 15000)
c:send("ordinary, ")
wait "1 ms"
d:steer { port = 15000, queue = 1 }
c:send("then unreadable")
wait "10 ms"

-- Ordinary bytes first: they can be read, up to where device memory begins.
local m = s:devmem_receive(1000, { flag = false })
expect(m.plain, "ordinary, ")
for i = 1, 3 do
    local none, err = s:devmem_receive(1000, { flag = false })
    expect(err, "EFAULT")
    local bytes, why = s:try_receive(10)
    expect(bytes, "")
    expect(why, "PERMISSION", "read() of the same socket")
    expect(s:devmem_info(), { tokens = 0, fragments = 1 })
end
m = s:devmem_receive(1000)
expect(s:devmem_bytes(m), "then unreadable")
expect(m.plain, "")
expect(s:dontneed(m.fragments), 1)
expect(server:binding(id).available, server:binding(id).chunks)
