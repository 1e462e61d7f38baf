-- Buffers for messages of version 1 hold 48 bytes, though none that is right has more than 44. Somebody sends frames in the client's name:
-- a SEND of 48 bytes is a wrong message, and is dropped; one of 49 the device refuses, and ends its queue pair. No event tells of
-- that, only the completions of these buffers: the link is given up at once, not when the server has something to say.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A message that no receive buffer holds",
    source = "linux net/smc/smc_wr.h; InfiniBand volume 1, 9.7.5.1",
    requirements = { "LLC-001", "FAILOVER-012" },
    targets = { "sim", "ns3" },
    hostile = true,
}

expect_finding { id = "LLC-001", by = "client" }

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local function crc(bytes)
    local sum = 0xffffffff
    for i = 1, #bytes do
        sum = sum ~ bytes:byte(i)
        for _ = 1, 8 do sum = sum >> 1 ~ (sum & 1) * 0xedb88320 end
    end
    return ~sum & 0xffffffff
end

local c, s = connect(client, server)
wait_quiet()
local own, peer = messages { "CLC Confirm" }[1], messages { "CLC Accept" }[1]
local psn = own.psn + count_messages { from = "client", link = 1 }
local function send(message) -- RoCEv1: GRH, BTH, and a checksum that leaves out what routers change
    local pad = -#message % 4
    local bth = string.pack(">BBI2", 0x04, pad << 4, 0xffff)
    local rest = string.pack(">I3I4", peer.qpn, 0x80000000 | psn & 0xffffff) .. message .. ("\0"):rep(pad)
    local length = string.pack(">I2B", #bth + 1 + #rest + 4, 0x1b)
    local addresses = own.gid .. peer.gid
    local sum = crc(("\xff"):rep(8) .. "\x6f\xff\xff\xff" .. length .. "\xff" .. addresses .. bth .. "\xff" .. rest)
    client:inject_frame("eth0", peer.mac .. own.mac .. "\x89\x15\x60\0\0\0" .. length .. "\1" .. addresses .. bth .. "\0" .. rest .. string.pack("<I4", sum))
    psn = psn + 1
    wait "1 ms"
end

local dropped = counters("server").llc_dropped
send("\7\x30\0\0" .. ("\0"):rep(44)) -- TEST LINK
expect(counters("server").llc_dropped, dropped + 1)
expect(s.error, nil)
send("\7\x31\0\0" .. ("\0"):rep(45))
expect(s.error, "RESET")
expect_groups("server", 0)
