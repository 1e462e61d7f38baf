-- On a subsequent contact the client may write as soon as it has sent its Confirm. Here the Confirm is held back by the
-- network: the data waits in the server's RMB, and is given to the application once the Confirm has come.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The client's first bytes overtake its Confirm",
    source = "RFC 7609 3.5.2.4",
    requirements = { "CLC-041", "CLC-042", "CDC-007" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
local cable = link("client", "server")

connect(client, server)
wait_quiet()
skip_messages()
cable:delay { "CLC Confirm", from = "client", by = "50 ms" }
local c = client:connect(server, 5000)
expect(c:connected(), "SMC-R")
c:send("early")
expect_message { "CDC", from = "client" }
expect(server:try_accept(5000), nil, "no socket before the Confirm")
local s = server:accept(5000)
expect(s:receive(5), "early")
wait "1 s"
