-- B-09: two ways to the same bytes, of which one leaves them (there tee and splice, here peek and read): the cursor goes on once.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-09: bytes that were only looked at are not consumed",
    source = "CVE-2026-31507",
    requirements = { "CDC-009" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", no_copy = true, machine = "m", devices = { "loopback" } }
host "server" { address = "10.0.0.2/24", no_copy = true, machine = "m", devices = { "loopback" } }
host "far" { address = "10.0.0.3/24" }
switch "sw"
link("client", "sw")
link("server", "sw")
link("far", "sw")

for _, from in ipairs { far, client } do
    local c, s = connect(from, server, 5000)
    expect(c.mode, from == far and "SMC-R" or "SMC-D")
    local all = pattern(40000)
    for at = 1, 40000, 1000 do
        c:send(all:sub(at, at + 999))
        wait "100 us"
        for _ = 1, 3 do expect(s:peek(1000), all:sub(at, at + 999)) end
        expect(s:receive(1000), all:sub(at, at + 999))
        expect(s.rx_cons, { wrap = 0, count = at + 999 })
    end
    c:close()
    s:at_end()
    s:close()
end
