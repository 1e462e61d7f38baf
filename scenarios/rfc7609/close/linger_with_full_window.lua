-- Data is left, the reader does not read, and the application gives it one second. After that the connection ends anyway, even if the
-- application said before that more would come.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Linger: only so long for the rest",
    source = "RFC 7609 4.8.1, SO_LINGER",
    requirements = { "CLOSE-003", "CLOSE-014", "CURSOR-014" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = { "linux", cork_ns = "250 ms" } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local function ends()
    return count_messages { "CDC", from = "client", closed = true } + count_messages { "CDC", from = "client", abnormal_close = true }
end
for port = 5000, 5001 do
    local c, s = connect(client, server, port, { rmb = "16 KiB", sndbuf = "64 KiB" })
    c:send(pattern("40 KiB"))
    wait_for(function() return s.readable == 16384 end, "all that fits is there")
    if port == 5001 then
        c:set { cork = true }
        c:send("more")
    end
    skip_messages()
    local before = ends()
    c:set { linger = "1 s" }
    c:close()
    expect_no_message { "CDC", from = "client", abnormal_close = true, within = "0.9 s" }
    wait "0.2 s"
    expect_true(ends() > before, "the client has ended it")
end
wait "1 s"
