-- A Proposal of version 2 alone does not say who its sender is. The server knows the client of a later one by the GID, and uses the group
-- and the link that are there.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A later contact by version 2 alone",
    source = "linux net/smc/smc_core.c",
    requirements = { "CLC-040" },
    targets = { "sim" },
}

host "client" { address = "10.0.0.1/24", versions = { 2 } }
host "server" { address = "10.0.0.2/24", versions = { 2 } }
link("client", "server")

for contact = 1, 3 do
    local c, s = connect(client, server)
    expect(c.mode, "SMC-R")
    expect_message { "CLC Accept", from = "server", first_contact = contact == 1 }
    transfer { from = c, to = s, bytes = "10 KiB", both_ways = true }
end
expect_groups("client", 1)
expect_groups("server", 1)
