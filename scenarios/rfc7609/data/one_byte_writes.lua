-- Forty writes of one byte, each alone on its way. Small data must not wait when there is window.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "One byte at a time",
    source = "RFC 7609 4.5",
    requirements = { "CDC-002", "CDC-007", "CURSOR-013" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
for i = 1, 40 do
    c:send(string.char(64 + i))
    expect(s:receive(1), string.char(64 + i))
end
expect(count_messages { "RDMA WRITE", from = "client", data_length = 1 }, 40)
expect(count_messages { "CDC", from = "client" }, 40)
wait "1 s"
