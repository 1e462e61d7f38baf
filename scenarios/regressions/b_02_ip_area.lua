-- B-02 (CVE-2024-49571): a Proposal whose IP area lies elsewhere, or has more IPv6 prefixes than eight.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-02: offset and count of the IP area",
    source = "CVE-2024-49571",
    requirements = { "CLC-016", "CLC-018" },
    targets = { "sim", "ns3", "vm" },
    roles = { "server" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24 2001:db8::1/64" }
host "server" { address = "10.0.0.2/24 2001:db8::2/64" }
link("client", "server")
server:listen(5000)

local function try(change)
    client:edit(change)
    local c = client:connect(server, 5000)
    expect_error(c, "RESET", { within = "1 s" })
    c:close()
end

try { "CLC Proposal", iparea_offset = 41 }
try { "CLC Proposal", iparea_offset = 0xffff }
try { "CLC Proposal", prefix_count = 9 }
try { "CLC Proposal", prefix_count = 255 }
-- As long as it says: 41 with one byte more, nine prefixes that are there.
local function grown(b, at, more) return b:sub(1, 5) .. string.pack(">I2", #b + #more) .. b:sub(8, at) .. more .. b:sub(at + 1) end
local function version1(t)
    t.typev2, t.version = 0, 1
    return t
end
try { "CLC Proposal", bytes = function(b)
    b = grown(b, 80, "\0")
    return b:sub(1, 38) .. string.pack(">I2", 41) .. b:sub(41)
end }
try { "CLC Proposal", bytes = function(b)
    local v1 = b:sub(1, 7) .. "\x11" .. b:sub(9, 88) .. b:sub(-4)
    v1 = grown(v1:sub(1, 87) .. "\9" .. v1:sub(89), 88, ("\x20\x01" .. ("\0"):rep(14) .. "\64"):rep(9))
    return v1:sub(1, 5) .. string.pack(">I2", #v1) .. v1:sub(8)
end }

expect_finding { id = "CLC-016", by = "client" }
expect_finding { id = "CLC-018", by = "client" }

local c, s = connect(client, server, 5000)
transfer { from = c, to = s, bytes = "100 KiB", both_ways = true }
