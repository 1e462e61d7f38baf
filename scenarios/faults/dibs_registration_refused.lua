-- No DMB is to be had, or only a smaller one: Decline with "max DMB", or a smaller ring.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Registration refused",
    source = "linux SMC_CLC_DECL_MAX_DMB; DIBS register",
    requirements = { "SMCD-016", "CLC-010" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { { "ism", name = "dev" } } }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { { "ism", name = "dev" } } }
link("client", "server")

local function works(c, s)
    c:send(pattern(20000, { seed = 7 }))
    expect(s:receive(20000), pattern(20000, { seed = 7 }))
    s:send(pattern(20000, { seed = 8 }))
    expect(c:receive(20000), pattern(20000, { seed = 8 }))
end

server:listen(5000)
for _, who in ipairs { client, server } do
    who:fault("dev", "register", { times = who == server and 6 or 3, error = "NOSPACE" }) -- 64, 32 and 16 KiB; a server tries version 1 as well
    local c, s = connect(client, server, 5000)
    expect_true(c.mode ~= "SMC-D", "there is no DMB, and yet SMC-D")
    works(c, s)
    wait "1 s"
    c, s = connect(client, server, 5000)
    expect(c.mode, "SMC-D")
end
-- Two sizes are refused: a quarter is given.
server:fault("dev", "register", { times = 2, error = "NOSPACE" })
local c, s = connect(client, server, 5000, { rmb = "128 KiB" })
expect(c.mode, "SMC-D")
expect_true(s.rmb_bytes < 131072, "the wanted size was refused")
expect(c.peer_rmb_bytes, s.rmb_bytes)
works(c, s)
