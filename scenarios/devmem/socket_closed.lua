-- The data socket closes with tokens out and data unread: every chunk comes back.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Closing the socket frees its tokens",
    source = "Linux Documentation/networking/devmem.rst",
    requirements = { "DEVMEM-010" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", smc = false }
host "server" { address = "10.0.0.2/24", smc = false }
link("client", "server", { mtu = 1500 })

local d = server:devmem { queues = 2, buffer = "256 KiB" }
local id = d:bind { queue = 1 }
d:steer { port = 15000, queue = 1 }
local all = server:binding(id).chunks

for round = 1, 3 do
    local c, s = connect(client, server, 15000)
    local held = {}
    c:feed(60000, { seed = round })
    s:devmem_read(30000, { keep = held }) -- the other half stays unread
    wait "10 ms"
    expect(s:devmem_info().tokens, #held)
    expect_true(s:devmem_info().fragments > 0, "there are unread fragments")
    expect_true(server:binding(id).available <= all - #held // 3, "chunks are out")
    s:close()
    c:close()
    wait "10 s"
    local err = select(2, s:dontneed { held[1] })
    expect(err, "EBADF", "a token of a closed socket")
    -- What the queue itself has taken for its next packet is not among them.
    expect_true(server:binding(id).available == all, "all chunks are back")
end
