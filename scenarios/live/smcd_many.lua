-- Fifty connections at once share the group of the loopback device; each carries its own bytes.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Many connections over the loopback device",
    source = "SMC-Dv2; docs/linux.md",
    requirements = { "CLC-061", "SMCD-009" },
    targets = { "sim", "ns3", "vm" },
    roles = { "both", "lo" },
}

host "client" { address = "10.0.0.1/24", machine = "m", versions = { 2 }, paths = { "D" }, roce = false, devices = { "loopback" }, ueids = { "SMCTEST-EID1" } }
host "server" { address = "10.0.0.2/24", machine = "m", versions = { 2 }, paths = { "D" }, roce = false, devices = { "loopback" }, ueids = { "SMCTEST-EID1" } }
link("client", "server", { mtu = 1500 })

server:listen(5000)
local c, s, at = {}, {}, {}
for i = 1, 50 do c[i] = client:connect(server, 5000) end
for i = 1, 50 do s[i] = server:accept(5000, { within = "30 s" }) end
for i = 1, 50 do expect(c[i]:connected { within = "30 s" }, "SMC-D") end
for i = 1, 50 do c[i]:send(string.format("%04d", i)) end
for i = 1, 50 do
    local n = tonumber(s[i]:receive(4))
    expect_true(n and not at[n], "each number comes once")
    at[n] = s[i]
end
for i = 1, 50 do
    local answer = string.format("answer %04d", i)
    at[i]:send(answer)
    expect(c[i]:receive(#answer), answer)
end
for i = 1, 50 do c[i]:close() end
for i = 1, 50 do
    at[i]:at_end()
    at[i]:close()
end
wait "500 ms"
