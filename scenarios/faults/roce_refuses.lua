-- No memory region, no queue pair: the handshake declines with a code, and what is there goes on.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The device has no room",
    source = "devices/roce.h REFUSE_MR, REFUSE_QP, REFUSE_CHANGE",
    requirements = { "CLC-010", "LLC-053" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")

local function works(c, s)
    c:send(pattern(20000, { seed = 7 }))
    expect(s:receive(20000), pattern(20000, { seed = 7 }))
    s:send(pattern(20000, { seed = 8 }))
    expect(c:receive(20000), pattern(20000, { seed = 8 }))
end

server:listen(5000)
for _, what in ipairs { "refuse qp", "refuse mr" } do
    for _, who in ipairs { client, server } do
        who:roce_fault("eth0", { what, every = 1, times = 0 })
        local c, s = connect(client, server, 5000)
        expect(c.mode, "TCP")
        expect(s.mode, "TCP")
        c:send("over TCP")
        expect(s:receive(8), "over TCP")
        who:roce_fault("eth0")
        wait "1 s"
    end
end
-- A queue pair is there, but does not get from one state to the next: INIT is the first, then come RTR and RTS.
for nth = 2, 3 do
    for _, who in ipairs { client, server } do
        skip_messages()
        who:roce_fault("eth0", { "refuse change", first = nth })
        local c, s = connect(client, server, 5000)
        expect_message { "CLC Decline", from = who }
        expect(c.mode, "TCP")
        expect(s.mode, "TCP")
        who:roce_fault("eth0")
        wait "1 s"
    end
end
-- A group that is there, and no room for another buffer.
local kept, kept_s = connect(client, server, 5000)
expect(kept.mode, "SMC-R")
for _, who in ipairs { client, server } do
    who:roce_fault("eth0", { "refuse mr", every = 1, times = 0 })
    local c, s = connect(client, server, 5000, { rmb = "128 KiB" })
    expect(c.error, nil) -- over TCP, or with a smaller buffer that was there
    expect(s.error, nil)
    who:roce_fault("eth0")
    works(kept, kept_s)
end
-- No room for a send buffer: the writer hears so, and can go on when there is.
local c, s = connect(client, server, 5000)
client:roce_fault("eth0", { "refuse mr", every = 1, times = 0 })
expect(c:try_send("x"), 0)
client:roce_fault("eth0")
works(c, s)
