-- Each side is sent impossible values: the Proposal, the Accept and the Confirm are changed as they leave. Declined with the code
-- for that; TCP goes on.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Numbers of connections and links that cannot be",
    source = "linux net/smc/smc_clc.c",
    requirements = { "CLC-066", "CLC-067", "CLC-068", "CLC-055" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 2 }, paths = { "R" } }
host "server" { address = "10.0.0.2/24", versions = { 2 }, paths = { "R" } }
link("client", "server")
local cases = {
    { "CLC Proposal", "max_conns", 15, 0x0303000a, "CLC-066" },
    { "CLC Proposal", "max_conns", 0, 0x0303000a, "CLC-066" },
    { "CLC Accept", "max_conns", 15, 0x0303000a, "CLC-066" },
    { "CLC Accept", "max_conns", 0, 0x0303000a, "CLC-066" },
    { "CLC Accept", "max_links", 0, 0x0303000b, "CLC-067" },
    { "CLC Accept", "max_links", 3, 0x0303000b, "CLC-067" },
    { "CLC Accept", "max_links", 255, 0x0303000b, "CLC-067" },
    { "CLC Confirm", "max_conns", 254, 0x0303000a, "CLC-068" },
    { "CLC Confirm", "max_links", 1, 0x0303000b, "CLC-068" },
    { "CLC Confirm", "release", 0, 0x03030009, "CLC-065" },
}
for _, case in ipairs(cases) do
    local from = case[1] == "CLC Accept" and server or client
    from:edit { case[1], [case[2]] = case[3] }
    expect_finding { id = case[5], by = from }
    local c, s = connect(client, server)
    local what = table.concat({ case[1], case[2], case[3] }, " ")
    expect(c.mode, "TCP", what)
    expect(s.mode, "TCP", what)
    local judge = case[1] == "CLC Accept" and c or s
    expect(judge.fallback, case[4], what)
    expect((judge == c and s or c).peer_diagnosis, case[4], what)
    c:send("goes on")
    expect(s:receive(7), "goes on", what)
    c:close()
    s:close()
end
local c, s = connect(client, server)
expect(c.mode, "SMC-R")
