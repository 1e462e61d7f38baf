-- B-29: the buffer is full in one moment and free in the next: whoever waits for room hears of it.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-29: no wake-up of a writer is lost",
    source = "linux 679e9ddcf90d",
    requirements = { "CURSOR-003", "CURSOR-011" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { { "loopback", name = "dev" } }, rmb = "16 KiB", sndbuf = "16 KiB" }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { { "loopback", name = "dev" } }, rmb = "16 KiB", sndbuf = "16 KiB" }
link("client", "server")

for _, mode in ipairs { "SMC-D", "SMC-R" } do
    if mode == "SMC-R" then client:remove "dev" end
    -- A writer that sleeps until it is told, and readers of every speed.
    for _, read in ipairs { 1, 700, 2305, 16384 } do
        local c, s = connect(client, server)
        expect(c.mode, mode)
        transfer { from = c, to = s, bytes = read == 1 and 40000 or 200000, chunk = 5000, read_chunk = read, read_delay = read > 1 and "1 us" or nil, within = "5 s" }
        c:close()
        s:close()
    end
end
