-- A refusal with "configuration retry" is not met with the same request at once: while the change runs there would be no end of
-- them.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "After a refusal CONFIRM RKEY waits",
    source = "RFC 7609 A.3.5",
    requirements = { "LLC-052" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

connect(client, server)
wait_quiet()
skip_messages()
client:edit { "CONFIRM RKEY", of = "response", negative = true, retry = true, nth = 1 }
local c = client:connect(server, 5000)
expect_message { "CONFIRM RKEY", from = "client", response = true, negative = true }
local refused = now()
expect_message { "CONFIRM RKEY", from = "server", response = false }
expect_true(now() - refused >= 90000000, "asked again after " .. (now() - refused) .. " ns")
expect(c:connected(), "SMC-R")
local s = server:accept(5000)
c:send("there")
expect(s:receive(5), "there")
wait "1 s"
