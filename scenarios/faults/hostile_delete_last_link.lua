-- A peer asks for the only link of a group to be deleted, where there might be eight. Nothing would be left: the group ends, and its
-- connection is aborted.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "DELETE LINK of the only link",
    source = "RFC 7609 3.5.4, 3.5.5.1",
    requirements = { "LLC-035", "LLC-038", "LLC-040" },
    targets = { "sim", "ns3" },
    hostile = true,
}

for n, by in ipairs { "client", "server" } do
    local ends = {}
    for k, name in ipairs { "client" .. n, "server" .. n } do
        ends[k] = host(name) { address = "10.0." .. n .. "." .. k .. "/24", versions = { 1 }, profile = { "linux", max_links = 8 } }
    end
    link("client" .. n, "server" .. n)
    local c, s = connect(ends[1], ends[2])
    wait_quiet()
    skip_messages()
    local who, other = c, s
    if by == "server" then who, other = s, c end
    who:inject { "DELETE LINK", link_number = 1, reason = 0x00020000 }
    expect_error(other, "RESET", { within = "5 s" })
    expect_groups("client" .. n, 0)
    expect_groups("server" .. n, 0)
end
