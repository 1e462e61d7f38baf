-- B-04 (CVE-2024-57791): a message announces more bytes than ever come, and then TCP ends.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-04: no endless wait for the rest of a message",
    source = "CVE-2024-57791",
    requirements = { "CLC-003" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")
server:listen(5000)
expect_finding { id = "CLC-008", by = "client" }

local function try(length, sent)
    client:edit { "CLC Proposal", bytes = function(b) return b:sub(1, 5) .. string.pack(">I2", length) .. (b .. ("x"):rep(1000)):sub(8, sent) end }
    local c = client:connect(server, 5000)
    wait "1 ms"
    local before = now()
    c:close()
    wait_for(function() return counters("server").handshake_errors > 0 end, "the server still waits", { within = "100 ms" })
    wait "10 s"
    return counters("server").handshake_errors
end

expect(try(65535, 700), 1)
expect(try(1000, 999), 2)
expect(try(100, 8), 3)

local c, s = connect(client, server, 5000)
transfer { from = c, to = s, bytes = "10 KiB" }
