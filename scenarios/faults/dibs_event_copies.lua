-- Events of a device come several times, and late: a group ends once.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Events that come twice",
    source = "devices/dibs_parts.h",
    requirements = { "SMCD-014", "DIBS-007" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { { "ism", name = "dev" } } }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { { "ism", name = "dev" } } }
link("client", "server")
server:listen(5000)

for copies = 1, 4 do
    local all = {}
    for i = 1, 4 do
        all[i] = { connect(client, server, 5000) }
        all[i][1]:send(pattern(100 * i))
    end
    server:fault("dev", "signals", { copies = copies, hold = copies % 2 == 0 and "30 us" or nil })
    client:remove "dev" -- says SHUTDOWN to its peers
    for i = 1, 4 do
        expect_error(all[i][2], "RESET", { within = "1 s" })
        all[i][1]:close()
        all[i][2]:close()
    end
    expect_groups("server", 0)
    client:restore "dev"
    server:fault("dev", "signals", {})
end
local c, s = connect(client, server, 5000)
transfer { from = c, to = s, bytes = "100 KiB", both_ways = true }
