-- Two keys are deleted that were never confirmed: the answer is negative, and its mask names both, from the left.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "DELETE RKEY of a key that nobody knows",
    source = "RFC 7609 A.3.7",
    requirements = { "LLC-058", "LLC-059" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
wait_quiet()
skip_messages()
c:inject { "DELETE RKEY", count = 2, rkey1 = 0x11111111, rkey2 = 0x22222222 }
expect_message { "DELETE RKEY", from = "server", response = true, negative = true, error_mask = 0xc0 }
s:send("unharmed")
expect(c:receive(8), "unharmed")
wait "1 s"
