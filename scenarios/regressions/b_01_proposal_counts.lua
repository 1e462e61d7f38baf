-- B-01 (CVE-2024-49568): a Proposal whose counts of EIDs and GIDs, or whose offset to the version 2 extension, lead out of the message.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-01: counts and offsets of a Proposal are not believed",
    source = "CVE-2024-49568",
    requirements = { "CLC-023", "CLC-024", "CLC-025", "CLC-026" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", devices = { "loopback" }, machine = "m" }
host "server" { address = "10.0.0.2/24", devices = { "loopback" }, machine = "m" }
link("client", "server")
server:listen(5000)

-- As the core sends it, but for one thing.
local function try(change)
    client:edit(change)
    local c = client:connect(server, 5000)
    expect_error(c, "RESET", { within = "1 s" })
    c:close()
end

try { "CLC Proposal", eid_count = 255 }
try { "CLC Proposal", gid_count = 255 }
try { "CLC Proposal", v2_offset = 0xffff }
-- The same counts with a message as long as they say.
try { "CLC Proposal", bytes = function(b)
    local at = b:find("SMCLAB.EID", 1, true)
    local n = at - 41
    local grown = b:sub(1, n) .. string.char(9) .. b:sub(n + 2, at - 1) .. b:sub(at, at + 31):rep(9) .. b:sub(at + 32)
    return grown:sub(1, 5) .. string.pack(">I2", #grown) .. grown:sub(8)
end }

expect_finding { id = "CLC-024", by = "client" }
expect_finding { id = "CLC-025", by = "client" }
expect_finding { id = "CLC-026", by = "client" }

-- The server has come to no harm.
local c, s = connect(client, server, 5000)
transfer { from = c, to = s, bytes = "100 KiB", both_ways = true }
