-- B-03 (CVE-2024-47408): the offset to the SMC-Dv2 extension leads into another area, or out of the message.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-03: the offset to the SMC-Dv2 extension",
    source = "CVE-2024-47408",
    requirements = { "CLC-027", "CLC-023" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { "ism" } }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { "ism" } }
link("client", "server")
server:listen(5000)

local function try(offset)
    client:edit { "CLC Proposal", d_offset = offset }
    local c = client:connect(server, 5000)
    expect_error(c, "RESET", { within = "1 s" })
    c:close()
end

-- 48 is right: one EID lies between.
for _, offset in ipairs { 1, 47, 49, 200, 0x7fff, 0xffff } do try(offset) end
expect_finding { id = "CLC-027", by = "client" }
expect_finding { id = "CLC-023", by = "client" }

-- No extension at all is a reason to use something else, not to end the connection.
client:edit { "CLC Proposal", d_offset = 0 }
local c = client:connect(server, 5000)
c:connected()
expect_true(c.mode ~= "SMC-D" or c.version == 1, "SMC-Dv2 was chosen without its extension")
c:close()

local c, s = connect(client, server, 5000)
expect(c.mode, "SMC-D")
transfer { from = c, to = s, bytes = "100 KiB", both_ways = true }
