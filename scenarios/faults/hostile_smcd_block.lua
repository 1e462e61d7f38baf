-- The CDC block of an SMC-D connection is overwritten by its peer with lies; other connections do not notice.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A hostile SMC-D CDC block",
    source = "state-machines: SMC-D",
    requirements = { "SMCD-004", "SMCD-005", "CURSOR-006", "CURSOR-007" },
    targets = { "sim", "ns3" },
    hostile = true,
}

for _, id in ipairs { "CDC-007", "CURSOR-006", "CURSOR-007", "CURSOR-008", "CURSOR-027", "SMCD-001" } do expect_finding { id = id, by = "client" } end

host "client" { address = "10.0.0.1/24", machine = "m", devices = { { "ism", name = "dev" } }, rmb = "16 KiB" }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { { "ism", name = "dev" } }, rmb = "16 KiB" }
link("client", "server")

local function works(c, s)
    c:send(pattern(20000, { seed = 7 }))
    expect(s:receive(20000), pattern(20000, { seed = 7 }))
    s:send(pattern(20000, { seed = 8 }))
    expect(c:receive(20000), pattern(20000, { seed = 8 }))
end
server:listen(5000)
local kept, kept_s = connect(client, server, 5000)
local function block(prod_wrap, prod_count, cons_wrap, cons_count, flags, conn)
    return "\xfe" .. ("\0"):rep(7) .. string.pack("<I2I4I2I2I4BB", prod_wrap, prod_count, 0, cons_wrap, cons_count, flags, conn) .. ("\0"):rep(8)
end
local ring = 16384 - 32
for i, b in ipairs {
    block(0, ring, 0, 0, 0, 0), block(0, 0xffffffff, 0, 0, 0, 0), block(2, 3, 0, 0, 0, 0), block(1, 4, 0, 0, 0, 0), block(0, 3, 0, 50, 0, 0),
    block(0, 3, 0, 0xffffffff, 0, 0), block(0, 3, 5, 0, 0, 0), block(0, 0xffffffff, 0, 0, 0x60, 0), ("\255"):rep(32), ("\0"):rep(32), pattern(32),
} do
    local c, s = connect(client, server, 5000)
    c:send("abc")
    expect(s:receive(3), "abc")
    c:inject_smcd(0, b)
    wait "1 s"
    if b:byte(1) == 0xfe then expect(s.error, "PROTOCOL") end
    expect(s:try_receive(100000), "")
    c:close()
    s:close()
    wait "60 s"
    works(kept, kept_s)
end
-- Beyond its end, and into it from nowhere.
local c, s = connect(client, server, 5000)
for _, at in ipairs { 16384, 16383, 0x7fffffff, 0xfffffff0 } do expect_true(not pcall(function() c:inject_smcd(at, ("x"):rep(64)) end), "a move outside was taken") end
works(kept, kept_s)
