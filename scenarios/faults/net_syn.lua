-- SYNs are lost, doubled and late: one connection comes of each connect.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "SYNs lost, doubled, late",
    source = "RFC 7609 3.1; RFC 9293",
    requirements = { "TCPOPT-001" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
local l = link("client", "server")

local function works(c, s)
    c:send(pattern(20000, { seed = 7 }))
    expect(s:receive(20000), pattern(20000, { seed = 7 }))
    s:send(pattern(20000, { seed = 8 }))
    expect(c:receive(20000), pattern(20000, { seed = 8 }))
end

server:listen(5000)
for round = 1, 6 do
    if round == 1 then l:drop { "TCP SYN", from = "client" } end
    if round == 2 then l:copy { "TCP SYN", from = "client" } end
    if round == 3 then l:copy { "TCP SYN", from = "server" } end
    if round == 4 then l:drop { "TCP SYN", from = "server" } end
    if round == 5 then l:delay { "TCP SYN", from = "client", by = "2 s" } end
    if round == 6 then l:delay { "TCP SYN", from = "server", by = "2 s" } end
    local c = client:connect(server, 5000)
    c:connected { within = "60 s" }
    local s = server:accept(5000)
    expect(c.mode, "SMC-R")
    works(c, s)
    expect(server:try_accept(5000), nil)
    c:close()
    s:close()
    wait "5 s"
end
