-- The time for what is left begins when shutdown() is called, not when the endpoint last had something to do.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Linger counts from shutdown(), also after a long silence",
    source = "RFC 7609 4.8.1, SO_LINGER",
    requirements = { "CLOSE-014" },
    targets = { "sim" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server, 5000, { rmb = "16 KiB", sndbuf = "64 KiB" })
c:set { linger = "1 s" }
c:send(pattern("40 KiB"))
wait "5 s"
c:shutdown "both"
expect_no_message { "CDC", from = "client", abnormal_close = true, within = "0.9 s" }
expect_message { "CDC", from = "client", abnormal_close = true, within = "0.2 s" }
c:close()
s:close()
wait "1 s"
