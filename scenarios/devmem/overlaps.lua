-- TCP sends again in other cuts: what comes twice, or around what is there, stands in device memory once, each byte at its place.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Overlapping retransmissions",
    source = "RFC 9293 3.10.7.4; Linux Documentation/networking/devmem.rst",
    requirements = { "DEVMEM-002", "DEVMEM-021" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", smc = false }
host "server" { address = "10.0.0.2/24", smc = false }
local l = link("client", "server", { mtu = 1500 })

local d = server:devmem { queues = 2, buffer = "256 KiB" }
local id = d:bind { queue = 1 }
d:steer { port = 15000, queue = 1 }
local c, s = connect(client, server, 15000, { nodelay = true })
local data, sent, got = pattern(20000, { seed = 17 }), 0, ""
local function send(n)
    c:send(data:sub(sent + 1, sent + n))
    sent = sent + n
    wait "20 us"
end

for round = 1, 4 do
    -- Islands: the first and the third of five are lost; what is sent again covers all of them.
    l:drop { "TCP", from = "client", nth = 1 }
    l:drop { "TCP", from = "client", nth = 3 }
    for i = 1, 5 do send(100 + 10 * round) end
    wait "3 s"
    got = got .. s:devmem_read(sent - #got)
    expect_true(got == data:sub(1, sent), "the stream is as it was sent, islands in it")

    -- Acknowledgements are lost, then data as well: what is sent again begins with bytes that are there.
    l:partition("server")
    for i = 1, 3 do send(150) end
    wait "50 ms" -- the delayed acknowledgement
    l:partition("client")
    for i = 1, 3 do send(130) end
    l:heal()
    if round % 2 == 0 then got = got .. s:devmem_read(200) end -- in the middle of a fragment
    wait "3 s"
    got = got .. s:devmem_read(sent - #got)
    expect_true(got == data:sub(1, sent), "the stream is as it was sent, with overlaps")
end
expect(server:binding(id).available, server:binding(id).chunks)
