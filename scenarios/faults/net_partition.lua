-- Nothing passes for a while, in one direction or both: what comes back in time goes on, what does not ends, on both sides.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Partitions that heal and that do not",
    source = "RFC 7609 4.6, C",
    requirements = { "FAILOVER-012", "CLOSE-017", "LLC-064" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
local l = link("client", "server")
server:listen(5000)

for _, from in ipairs { "both", "client", "server" } do
    -- Soft-RoCE takes seven retries for any number: a kernel may be there again after 20 s, or its peer has given up before.
    for _, long in ipairs(real_time() and { "100 ms", "600 ms" } or { "100 ms", "600 ms", "20 s" }) do
        local c, s = connect(client, server, 5000, { within = "60 s" })
        local t = transfer { from = c, to = s, bytes = "2 MiB", both_ways = true, background = true, chunk = 5000 }
        wait "100 us"
        if from == "both" then l:partition() else l:partition(from) end
        wait(long)
        l:heal()
        if long == "20 s" then
            expect_error(c, "RESET", { within = "120 s" })
            expect_error(s, "RESET", { within = "120 s" })
        else
            t:finish()
        end
        c:close()
        s:close()
        expect_state(c, "CLOSED", { within = "120 s" })
        expect_state(s, "CLOSED", { within = "120 s" })
        wait(real_time() and "1 s" or "60 s")
    end
end
