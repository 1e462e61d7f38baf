-- No link is left: every connection is reset, at both sides.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The last link is lost",
    source = "RFC 7609 4.6",
    requirements = { "FAILOVER-012", "CLOSE-021" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
local cable = link("client", "server")

local c1, s1 = connect(client, server)
local c2, s2 = connect(client, server)
cable:down()
expect_error(c1, "RESET")
expect_error(c2, "RESET")
expect_error(s1, "RESET")
expect_error(s2, "RESET")
expect_groups("client", 0)
expect_groups("server", 0)
wait "1 s"
