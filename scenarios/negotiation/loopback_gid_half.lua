-- Two containers of one machine; the client's Proposal is changed: the second half of the GID is another one, or its CHID is. No match, and SMC-R is used.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A loopback matches by all of its GID",
    source = "seed 000; linux net/smc/smc_clc.h",
    requirements = { "CLC-070", "CLC-071" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { "loopback", "ism" } }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { "loopback" } }
link("client", "server")
local c, s = connect(client, server)
expect(c.mode, "SMC-D")
expect_message { "CLC Accept", from = "server", chid = 0xffff }
-- The entries stand before the trailer: loopback's two, then that of the ISM function, which the locator names.
local function entry(change)
    client:edit { "CLC Proposal", bytes = function(b)
        local at = b:find("\xff\xff", 100, true) - 8
        while b:sub(at + 18, at + 19) ~= "\xff\xff" do at = b:find("\xff\xff", at + 9, true) - 8 end
        return change(b, at)
    end }
end
for _, change in ipairs {
    function(b, at) return b:sub(1, at + 9) .. string.rep("\x01", 8) .. b:sub(at + 18) end,
    function(b, at) return b:sub(1, at + 17) .. "\xff\xfe" .. b:sub(at + 20) end,
} do
    entry(change)
    c, s = connect(client, server)
    expect(c.mode, "SMC-R")
    transfer { from = c, to = s, bytes = "20 KiB", both_ways = true }
end
c, s = connect(client, server)
expect(c.mode, "SMC-D")
