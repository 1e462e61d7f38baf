-- Messages from 1 to 16384 bytes, each echoed before the next.
-- SPDX-License-Identifier: BSD-3-Clause
-- capture: 6.12.107-smclo-v1pure-b2-sizes.pcap from 500 ms
scenario {
    title = "The kernel's messages of many sizes, version 1",
    source = "traces/captures/6.12.107-smclo-v1pure-b2-sizes.pcap",
    requirements = { "CDC-001", "CDC-002", "CDC-006", "CDC-008", "CURSOR-001", "CURSOR-005", "ROCE-005", "ROCE-013" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, paths = { "R" } }
host "server" { address = "10.0.0.2/24", versions = { 1 }, paths = { "R" } }
link("client", "server", { mtu = 1500 })

-- A connection before: the capture begins when the link group is there.
local c0, s0 = connect(client, server)
c0:close()
s0:at_end()
s0:close()
wait "1 s"

local c, s = connect(client, server)
expect(c.mode, "SMC-R")
for _, n in ipairs { 1, 2, 43, 44, 45, 100, 1024, 4096, 8192, 16384 } do
    local message = string.rep("ABCDEFGHIJKLMNOPQRSTUVWXYZ", n // 26 + 1):sub(1, n)
    c:send(message)
    expect(s:receive(n), message)
    s:send(message)
    expect(c:receive(n), message)
end
c:close()
s:at_end()
s:close()
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
wait "500 ms"
