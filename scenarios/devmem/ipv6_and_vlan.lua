-- Header split over IPv6 and with a VLAN tag, with jumbo frames: payload beyond a page is cut at the chunks.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "IPv6, VLAN, jumbo frames",
    source = "Linux Documentation/networking/devmem.rst",
    requirements = { "DEVMEM-002", "DEVMEM-021" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24 2001:db8::1/64", smc = false, vlan = 7, mtu = 9000 }
host "server" { address = "10.0.0.2/24 2001:db8::2/64", smc = false, vlan = 7, mtu = 9000 }
link("client", "server", { mtu = 9100 })

local d = server:devmem { queues = 2, buffer = "512 KiB" }
local id = d:bind { queue = 1 }
d:steer { port = 15000, queue = 1 }
for _, peer in ipairs { "10.0.0.2", "2001:db8::2" } do
    if not server.listeners[15000] then server:listen(15000) end
    local c = client:connect(peer, 15000)
    local s = server:accept(15000)
    c:connected()
    local data = pattern(200000, { seed = 16 })
    local held = {}
    c:feed(#data, { seed = 16 })
    expect_true(s:devmem_read(#data, { keep = held }) == data, "the stream is as it was sent")
    local full = 0
    for _, f in ipairs(held) do
        expect_true(f.offset // 4096 == (f.offset + f.size - 1) // 4096, "a fragment lies in one chunk")
        if f.size == 4096 then full = full + 1 end
    end
    expect_true(full > 20, "whole chunks were filled")
    s:close()
    c:close()
    wait "5 s"
    expect(server:binding(id).available, server:binding(id).chunks)
end
