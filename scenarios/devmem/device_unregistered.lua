-- The network device goes away under traffic with tokens out: what was received stays readable, and a new device takes over.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The device is unregistered",
    source = "Linux Documentation/networking/devmem.rst",
    requirements = { "DEVMEM-005", "DEVMEM-010", "DEVMEM-020" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", smc = false }
host "server" { address = "10.0.0.2/24", smc = false }
link("client", "server", { mtu = 1500 })

local d = server:devmem { queues = 2, buffer = "256 KiB" }
local id = d:bind { queue = 1 }
d:steer { port = 15000, queue = 1 }
local c, s = connect(client, server, 15000)
local data = pattern(200000, { seed = 13 })
local held = {}
c:feed(#data, { seed = 13 })
local got = s:devmem_read(50000, { keep = held })

d:unregister()
expect(server:binding(id), { device = false })
while true do -- what TCP has already
    local m, err = s:devmem_receive(4000, { within = "100 ms" })
    if not m then break end
    got = got .. s:devmem_bytes(m)
    for _, f in ipairs(m.fragments) do held[#held + 1] = f end
end
expect_true(#got < #data, "nothing comes without a device")
expect_true(got == data:sub(1, #got), "what came is right")
local again = {}
for i, f in ipairs(held) do again[i] = d.buffer:read(f.offset, f.size) end
expect_true(table.concat(again) == got, "held fragments have not changed")

-- The netlink socket closes: fragments alone keep the binding.
d:unbind(id)
expect(server:binding(id), { bound = false, device = false })

-- A new device has queues of its own; TCP goes on where it was, with ordinary data.
local e = server:devmem { queues = 4 }
local m = s:devmem_receive(10000, { within = "120 s" })
expect(#m.pieces, 0)
got = got .. m.plain
got = got .. s:devmem_read(#data - #got)
expect_true(got == data, "the stream is as it was sent")

s:close()
c:close()
wait "10 s"
expect(server:binding(id), nil)
