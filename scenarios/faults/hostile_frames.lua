-- Frames from nowhere: cut short, of broken IP, UDP and RoCE headers, to queue pairs of nobody, with and without a checksum.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Forged frames",
    source = "InfiniBand volume 1; RFC 791",
    requirements = { "ROCE-008", "ROCE-009" },
    targets = { "sim", "ns3", "vm" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
host "evil" { address = "10.0.0.66/24", smc = false }
switch "sw"
for _, h in ipairs { "client", "server", "evil" } do link(h, "sw") end

local function works(c, s)
    c:send(pattern(20000, { seed = 7 }))
    expect(s:receive(20000), pattern(20000, { seed = 7 }))
    s:send(pattern(20000, { seed = 8 }))
    expect(c:receive(20000), pattern(20000, { seed = 8 }))
end

local c, s = connect(client, server)
works(c, s)
local mac = hex "025e10000002 025e10000066"
local function ip(protocol, payload, from)
    local head = string.pack(">BBI2I2I2BBI2", 0x45, 0, 20 + #payload, 1, 0x4000, 64, protocol, 0) .. (from or hex "0a000001") .. hex "0a000002"
    local sum = 0
    for i = 1, 20, 2 do sum = sum + string.unpack(">I2", head, i) end
    sum = (sum & 0xffff) + (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16)
    return mac .. "\8\0" .. head:sub(1, 10) .. string.pack(">I2", ~sum & 0xffff) .. head:sub(13) .. payload
end
local function udp(payload) return string.pack(">I2I2I2I2", 0xc000, 4791, 8 + #payload, 0) .. payload end
for opcode = 0, 255, 5 do
    for _, qp in ipairs { 0, 1, 0x11, 0xffffff } do
        local bth = string.pack(">BBI2I4I4", opcode, 0x40, 0xffff, qp, 0x80000000 | opcode) .. ("\0"):rep(60)
        evil:inject_frame("eth0", ip(17, udp(bth)))
        evil:inject_frame("eth0", ip(17, udp(bth:sub(1, opcode % 20)), hex "0a000042"))
    end
    wait "20 us"
end
for length = 14, 80 do
    evil:inject_frame("eth0", (mac .. "\8\0" .. pattern(80, { seed = length })):sub(1, length))
    evil:inject_frame("eth0", (mac .. "\x89\x15" .. pattern(80, { seed = length })):sub(1, length)) -- RoCEv1
    evil:inject_frame("eth0", (mac .. "\8\6" .. pattern(80, { seed = length })):sub(1, length))    -- ARP
    wait "10 us"
end
works(c, s)
expect_links("client", 1)
