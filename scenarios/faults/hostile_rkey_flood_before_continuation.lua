-- A peer asks more of a link than the server can answer while it completes nothing, and then acknowledges the first part of a list of
-- keys: the continuation finds no room any more. The server gives up that link, and the others carry on.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "No room for a CONFIRM RKEY CONTINUATION",
    source = "RFC 7609 A.3.6, C.7.1",
    requirements = { "LLC-057", "LLC-065" },
    targets = { "sim" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", profile = { "linux", max_links = 4 }, versions = { 1 } }
host "server" { address = "10.0.0.2/24", profile = { "linux", max_links = 4 }, versions = { 1 } }
link("client", "server")
for i = 1, 3 do
    client:interface("eth" .. i) { address = "10.0." .. i .. ".1/24" }
    server:interface("eth" .. i) { address = "10.0." .. i .. ".2/24" }
    link("client.eth" .. i, "server.eth" .. i)
end

local c, s = connect(client, server)
expect_links("client", 4)
expect(c.link, 1)
s:set { nodelay = true }
wait_quiet()
skip_messages()
client:edit { "CONFIRM RKEY", of = "response", drop = true, nth = 1 }
local c2 = client:connect(server, 5000)
local asked = expect_message { "CONFIRM RKEY", from = "server", response = false, other_count = 3 }
expect(asked.link, 1)
wait "1 ms"
server:roce_fault("eth0", { "delay completion", operations = "send", every = 1, times = 0, argument = "300 ms" })
for _ = 1, 16 do s:send("x") end
wait "1 ms"
for i = 1, 16 do c:inject { "DELETE RKEY", count = 1, rkey1 = 0x1000 + i, link = 1 } wait "50 us" end
wait "1 ms"
c:inject(asked.bytes:sub(1, 3) .. "\x80" .. asked.bytes:sub(5))   -- acknowledged, as it was
expect_links("server", 3, { within = "100 ms" })
expect(c2:connected(), "SMC-R")
expect(c:receive(16), ("x"):rep(16))
wait "1 s"
