-- 300,000 bytes into a ring of 64 KiB that is read after a second, 20,000 bytes at a time: the writer is blocked, the ring wraps.
-- SPDX-License-Identifier: BSD-3-Clause
-- capture: 6.12.107-v2-c2-slow-reader-300kB.pcap from 500 ms
scenario {
    title = "The kernel's slow reader, version 2",
    source = "traces/captures/6.12.107-v2-c2-slow-reader-300kB.pcap",
    requirements = { "CURSOR-001", "CURSOR-005", "CURSOR-010", "CLOSE-020" },
    targets = { "sim", "vm", "ns3" },
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
local bytes = string.rep(table.concat(cycle), 1172):sub(1, 300000)
local got, sent = {}, 0
local total = 0
sent = c:try_send(bytes)
wait "1 s"
while total < #bytes do
    -- Never more than what was written: a busy kernel may have had no room yet, and who waits here does not write.
    local part = s:receive(math.min(20000, math.min(sent, #bytes) - total))
    total = total + #part
    got[#got + 1] = part
    wait "1 ms"
    if sent < #bytes then sent = sent + c:try_send(bytes:sub(sent + 1)) end
    if sent == #bytes then c:shutdown("write") sent = sent + 1 end
    wait "1 ms"
end
expect(table.concat(got) == bytes, true)
s:at_end()
s:send("300000 0\n")
s:close()
expect(c:receive(9), "300000 0\n")
c:close()
expect_state(c, "CLOSED")
wait "500 ms"
