-- The first byte leaves at once. While its message is under way, more bytes are written: they go together.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Autocorking joins small writes",
    source = "RFC 7609 4.5",
    requirements = { "CURSOR-014", "CURSOR-013" },
    targets = { "sim", "ns3", "vm" },
    roles = { "server" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, autocork = true }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server", { delay = "1 ms" })

local c, s = connect(client, server)
wait_quiet()
for i = 1, 10 do c:send("x") end
expect(s:receive(10), ("x"):rep(10))
expect(count_messages { "RDMA WRITE", from = "client", data_length = 1 }, 1)
expect(count_messages { "RDMA WRITE", from = "client", data_length = 9 }, 1)
wait "1 s"
