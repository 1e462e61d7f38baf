-- B-46: a connection fails, or is closed, before anything of it is set up.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-46: closing what has hardly begun",
    source = "CVE-2024-56641",
    requirements = { "CLC-008" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")
-- Nobody listens.
local c = client:connect(server, 4000)
expect_error(c, "RESET", { within = "5 s" })
c:close()
-- At once, at every step of the first two microseconds, and before the SYN has left.
server:listen(5000)
for ns = 0, 9000, 250 do
    c = client:connect(server, 5000)
    wait(ns)
    c:close()
    c:close()
    expect(c.state, "CLOSED")
    local s = server:try_accept(5000)
    if s then s:close() end
end
wait "10 s"
local s
c, s = connect(client, server, 5000)
transfer { from = c, to = s, bytes = "20 KiB", both_ways = true }
