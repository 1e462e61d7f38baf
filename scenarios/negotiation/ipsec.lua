-- IPsec at either side: Decline 0x03020000, and plain TCP.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Connections that need IPsec do not use SMC",
    source = "RFC 7609 5.5",
    requirements = { "TCPOPT-008", "CLC-055" },
    targets = { "sim", "ns3" },
}

for i, who in ipairs { "client", "server", "both" } do
    local names = { "client" .. i, "server" .. i }
    for k, name in ipairs(names) do
        host(name) { address = "10.0." .. i .. "." .. k .. "/24", machine = "m", devices = { "ism" }, ipsec = who == "both" or (k == 1) == (who == "client") }
    end
    link(names[1], names[2])
    local c, s = connect(_G[names[1]], _G[names[2]])
    expect(c.mode, "TCP")
    expect(s.mode, "TCP")
    local refuses, other = who == "server" and s or c, who == "server" and c or s
    expect(refuses.fallback, 0x03020000, who)
    expect(other.peer_diagnosis, who ~= "both" and 0x03020000 or other.peer_diagnosis, who)
    expect(count_messages { "CLC Accept", from = names[2] }, 0)
    expect_message { "CLC Decline", from = who == "server" and names[2] or names[1], diagnosis = 0x03020000 }
    transfer { from = c, to = s, bytes = "50 KiB", both_ways = true }
end
