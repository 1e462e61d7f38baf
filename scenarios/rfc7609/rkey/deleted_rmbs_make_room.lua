-- 300 connections one after the other, each with RMBs of its own, which are deleted when it ends. A group has room for 255 RMBs of
-- the peer at a time: those that are gone do not count.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A deleted RMB makes room for another",
    source = "RFC 7609 2.1, 3.5.5.2.2",
    requirements = { "LLC-055", "LLC-058", "LLC-060" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, rmb = "16 KiB", sndbuf = "16 KiB" }
host "server" { address = "10.0.0.2/24", versions = { 1 }, rmb = "16 KiB", sndbuf = "16 KiB" }
link("client", "server")

local id
for i = 1, 300 do
    local c, s = connect(client, server)
    expect(c.mode, "SMC-R")
    id = id or group("server").id
    c:close()
    s:at_end()
    s:close()
    expect_state(c, "CLOSED")
    wait "1 ms"
end
expect_groups("server", 1)
expect(group("server").id, id)
expect(group("client").rtokens, 0)
expect(group("server").rtokens, 0)
