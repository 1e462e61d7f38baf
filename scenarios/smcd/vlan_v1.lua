-- Two VLANs between two hosts: version 1 makes a group for each, version 2 one for both.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Version 1 on a VLAN",
    source = "linux net/smc/smc_ism.c",
    requirements = { "SMCD-018", "SMCD-030" },
    targets = { "sim", "ns3" },
}

for i, version in ipairs { 1, 2 } do
    local names = { "client" .. i, "server" .. i }
    for k, name in ipairs(names) do
        local h = host(name) { versions = { version }, paths = { "D" }, machine = "m" .. i, devices = { "ism" } }
        h:interface "eth0" { address = "10.0.0." .. k .. "/24", vlan = 5 }
        h:interface "eth1" { address = "10.0.1." .. k .. "/24", vlan = 6 }
    end
    link(names[1] .. ".eth0", names[2] .. ".eth0")
    link(names[1] .. ".eth1", names[2] .. ".eth1")
    local client, server = _G[names[1]], _G[names[2]]
    server:listen(5000)
    local ends = {}
    for k, address in ipairs { "10.0.0.2", "10.0.1.2", "10.0.0.2" } do
        local c = client:connect(address, 5000)
        local s = server:accept(5000)
        c:connected()
        expect(c.mode, "SMC-D")
        expect(c.version, version)
        ends[k] = c
        transfer { from = c, to = s, bytes = "100 KiB", both_ways = true }
    end
    expect(ends[3].group, ends[1].group)
    expect(ends[2].group == ends[1].group, version == 2, "version " .. version)
    expect_groups(names[1], version == 1 and 2 or 1)
end
