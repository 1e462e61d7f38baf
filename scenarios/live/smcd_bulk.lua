-- Two containers of one kernel, or its own sockets: four megabytes each way at once, every byte checked; the wire carries CLC alone.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Bulk data over the loopback device",
    source = "SMC-Dv2; docs/linux.md",
    requirements = { "CLC-061", "SMCD-009" },
    targets = { "sim", "ns3", "vm" },
    roles = { "both", "lo" },
}

host "client" { address = "10.0.0.1/24", machine = "m", versions = { 2 }, paths = { "D" }, roce = false, devices = { "loopback" }, ueids = { "SMCTEST-EID1" } }
host "server" { address = "10.0.0.2/24", machine = "m", versions = { 2 }, paths = { "D" }, roce = false, devices = { "loopback" }, ueids = { "SMCTEST-EID1" } }
link("client", "server", { mtu = 1500 })

local c, s = connect(client, server)
expect(c.mode, "SMC-D")
expect(s.mode, "SMC-D")
transfer { from = c, to = s, bytes = "4 MiB", both_ways = true, within = "30 s" }
for _, n in ipairs { 1, 2, 43, 100, 4096, 16384, 32768 } do
    local message = string.rep("ABCDEFGHIJKLMNOPQRSTUVWXYZ", n // 26 + 1):sub(1, n)
    c:send(message)
    expect(s:receive(n), message)
end
c:close()
s:at_end()
s:close()
wait "500 ms"
