-- Data is left, the reader does not read, and the application gives it one second. After that the connection ends anyway.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Linger: only so long for the rest",
    source = "RFC 7609 4.8.1, SO_LINGER",
    requirements = { "CLOSE-014" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server, 5000, { rmb = "16 KiB", sndbuf = "64 KiB" })
c:send(pattern("40 KiB"))
wait_for(function() return s.readable == 16384 end, "all that fits is there")
c:set { linger = "1 s" }
c:close()
expect_no_message { "CDC", from = "client", abnormal_close = true, within = "0.9 s" }
wait "0.2 s"
expect_true(count_messages { "CDC", from = "client", closed = true } + count_messages { "CDC", from = "client", abnormal_close = true } > 0,
            "the client has ended it")
wait "1 s"
