-- A client of a later contact may speak as soon as its Confirm has left. Where that comes late, urgent byte and end are there before the
-- server knows that the handshake is over; it catches up then.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Urgent data and the end come before the CLC Confirm",
    source = "RFC 7609 4.7.5, 4.8.1",
    requirements = { "CLOSE-005", "CLOSE-026", "CURSOR-018" },
    targets = { "sim" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
local cable = link("client", "server")

connect(client, server)
wait_quiet()
for round, last in ipairs { "urgent", "end" } do
    skip_messages()
    cable:delay { "CLC Confirm", from = "client", by = "50 ms" }
    local c = client:connect(server, 5000)
    expect(c:connected(), "SMC-R")
    c:send("early")
    if last == "urgent" then c:urgent("!") else c:close() end
    local s = server:accept(5000)
    if last == "urgent" then
        s:wait_urgent()
        expect(s:receive(5), "early")
        expect(s:read_urgent(), "!")
        expect(counters("server").r.urgent_received, 1)
        c:close()
    else
        expect_state(s, "APPCLOSEWAIT1", { within = "1 s" })
        expect(s:receive_all(), "early")
    end
    s:close()
    expect_state(c, "CLOSED")
    expect_state(s, "CLOSED")
end
wait "1 s"
