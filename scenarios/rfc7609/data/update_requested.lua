-- A CDC with "consumer cursor update requested" is answered at once, however little was read. (libsmc never asks; the script
-- sends the message in its place.)
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The writer requests a cursor update",
    source = "RFC 7609 4.4.1, 4.5.1",
    requirements = { "CURSOR-012", "CDC-009" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = "rfc" }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = "rfc" }
link("client", "server")

local c, s = connect(client, server)
c:send("a little")
expect(s:receive(8), "a little")
wait_quiet()
expect(count_messages { "CDC", from = "server" }, 0)
c:inject { "CDC", seqno = 2, prod_count = 12, cons_count = 4, update_requested = true }
expect_message { "CDC", from = "server", cons_count = 12, within = "1 s" }
wait "1 s"
