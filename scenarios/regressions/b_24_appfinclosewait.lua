-- B-24: both have ended their streams and the peer has closed; then the group ends, and only after that the application closes.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-24: a socket in APPFINCLOSEWAIT is freed in the end",
    source = "linux 5211c9729484",
    requirements = { "CLOSE-009", "CLOSE-010", "CLOSE-030" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" }, -- a Linux server keeps a group that lost its device, and asks for keys over the dead link
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")
server:listen(5000)

for _, ends in ipairs { "nothing", "device", "peer" } do
    local c, s = connect(client, server, 5000)
    c:shutdown "write"
    s:at_end()
    s:close()
    c:at_end()
    expect_state(c, "APPFINCLOSEWAIT")
    if ends == "device" then client:remove "roce eth0" end
    if ends == "peer" then server:remove "roce eth0" end
    wait "5 s"
    c:close()
    expect_state(c, "CLOSED", { within = "5 s" })
    expect_state(s, "CLOSED", { within = "60 s" }) -- TEST LINK finds out at the latest
    if ends == "device" then client:restore "roce eth0" end
    if ends == "peer" then server:restore "roce eth0" end
    groups_end("client", "server")
    if real_time() and ends ~= "nothing" then -- who heard nothing still has its group, and learns from the next connection that it is out of sync
        local again = client:connect(server, 5000)
        again:connected()
        again:close()
        local other = server:try_accept(5000, { within = "1 s" })
        if other then other:close() end
        wait "1 s"
    end
end
