-- A move fails: the connection is reset, and its neighbours are not.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Moves that fail",
    source = "state-machines: SMC-D",
    requirements = { "SMCD-010" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { { "ism", name = "dev" } } }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { { "ism", name = "dev" } } }
local wire = link("client", "server")

local function works(c, s)
    c:send(pattern(20000, { seed = 7 }))
    expect(s:receive(20000), pattern(20000, { seed = 7 }))
    s:send(pattern(20000, { seed = 8 }))
    expect(c:receive(20000), pattern(20000, { seed = 8 }))
end

server:listen(5000)
local kept, kept_s = connect(client, server, 5000)
for after = 0, 12 do
    local c, s = connect(client, server, 5000)
    works(c, s)
    client:fault("dev", "move", { after = after, error = "IO" })
    for i = 1, 20 do
        if c.error then break end
        c:try_send(pattern(500))
        wait "10 us"
    end
    expect_error(c, "RESET", { within = "1 s" })
    expect_error(s, "RESET", { within = "60 s" })
    expect(s:try_receive(100000), "")
    c:close()
    s:close()
    works(kept, kept_s)
end

-- The RST that tells of it is lost: then the A does, by the next move, which succeeds.
local c, s = connect(client, server, 5000)
works(c, s)
wire:down()
client:fault("dev", "move", { after = 0, error = "IO" })
c:try_send(pattern(500))
expect_error(c, "RESET", { within = "1 s" })
expect_error(s, "RESET", { within = "1 s" })
expect(s:try_receive(100000), "")
c:close()
s:close()
wire:up()
works(kept, kept_s)
