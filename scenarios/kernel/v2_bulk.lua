-- 4,000,000 bytes, the ring full and read whole 61 times.
-- SPDX-License-Identifier: BSD-3-Clause
-- capture: 6.12.107-v2-c-bulk-4MB-snap160.pcap from 500 ms
scenario {
    title = "The kernel's four million bytes, version 2",
    source = "traces/captures/6.12.107-v2-c-bulk-4MB-snap160.pcap",
    requirements = { "CURSOR-001", "CURSOR-003", "CURSOR-005", "CURSOR-006" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 2 }, paths = { "R" }, ueids = { "SMCTEST-EID1" } }
host "server" { address = "10.0.0.2/24", versions = { 2 }, paths = { "R" }, ueids = { "SMCTEST-EID1" } }
link("client", "server", { mtu = 1500 })

-- A connection before: the capture begins when the link group is there.
local c0, s0 = connect(client, server)
c0:close()
s0:at_end()
s0:close()
wait "1 s"

local c, s = connect(client, server)
local cycle = {}
for i = 0, 255 do cycle[#cycle + 1] = string.char(i) end
local bytes = string.rep(table.concat(cycle), 15625):sub(1, 4000000)
local got, sent = {}, 0
local total = 0
sent = c:try_send(bytes)
wait "1 ms"
while total < #bytes do
    local part = s:receive(math.min(65536, #bytes - total))
    total = total + #part
    got[#got + 1] = part
    wait "1 ms"
    if sent < #bytes then sent = sent + c:try_send(bytes:sub(sent + 1)) end
    if sent == #bytes then c:shutdown("write") sent = sent + 1 end
    wait "1 ms"
end
expect(table.concat(got) == bytes, true)
s:at_end()
s:send("4000000 0\n")
s:close()
expect(c:receive(10), "4000000 0\n")
c:close()
expect_state(c, "CLOSED")
wait "500 ms"
