-- SMC-Rv2 has no continuation of CONFIRM RKEY: of more than three links it names that of the message and two others. Release 1 stops
-- at two links; release 0 leaves their number to CONFIRM LINK.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "CONFIRM RKEY of version 2 names two other links at most",
    source = "linux net/smc/smc_llc.c",
    requirements = { "LLC-050", "LLC-051", "LLC-074" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 2 }, release = 0, profile = { "linux", max_links = 4 } }
host "server" { address = "10.0.0.2/24", versions = { 2 }, release = 0, profile = { "linux", max_links = 4 } }
link("client", "server")
for i = 1, 3 do
    client:interface("eth" .. i) { address = "10.0." .. i .. ".1/24" }
    server:interface("eth" .. i) { address = "10.0." .. i .. ".2/24" }
    link("client.eth" .. i, "server.eth" .. i)
end

connect(client, server)
expect_links("client", 4)
wait_quiet()
skip_messages()
local c, s = connect(client, server)
for _, name in ipairs { "server", "client" } do
    local asked = expect_message { "CONFIRM RKEY", from = name, response = false, other_count = 2 }
    expect_true(asked.link1 ~= asked.link2 and asked.link1 ~= asked.link and asked.link2 ~= asked.link, "three links")
    expect(count_messages { "CONFIRM RKEY", from = name, response = false }, 1)
end
transfer { from = c, to = s, bytes = "64 KiB", both_ways = true }
wait "1 s"
