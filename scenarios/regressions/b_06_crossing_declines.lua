-- B-06 (CVE-2023-52775): CONFIRM LINK is late, so that both sides may give up at the same time: no byte of CLC may reach an application.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-06: no Decline is read as data",
    source = "CVE-2023-52775; linux e6d71b437abc; RFC 7609 C.2",
    requirements = { "CLC-010", "CLC-053" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
local wire = link("client", "server", { delay = "20 ms" })
server:listen(5000)

local function talk(c, s)
    expect(c.error, nil)
    expect(s.error, nil)
    expect(c.mode, s.mode)
    c:send("from the client")
    s:send("from the server")
    expect(s:receive(15), "from the client")
    expect(c:receive(15), "from the server")
    c:close()
    s:close()
    wait(real_time() and "2 s" or "10 s")
end

-- The server's device holds CONFIRM LINK back, so that on the wire the Decline follows it closer than a timeout.
local function hold(late)
    server:roce_fault("eth0", { "hold qp", operations = "send", argument = late })
    local c = client:connect(server, 5000)
    local s = server:accept(5000, { within = "30 s" })
    c:connected { within = "30 s" }
    server:roce_fault("eth0")
    talk(c, s)
end

for _, late in ipairs { "1990 ms", "2100 ms", "2500 ms", "3000 ms", "3900 ms", "4100 ms" } do
    hold(late)
end

-- Were the client to give up when the server does, and its Decline a bit slow, both would be under way.
wire:delay { "CLC Decline", from = "client", by = "100 ms", count = 100 }
hold "5 s"
