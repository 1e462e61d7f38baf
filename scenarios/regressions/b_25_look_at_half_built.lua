-- B-25: what a tool shows of a connection is asked for in every moment of its life, also when there are no buffers yet.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-25: looking at connections during the handshake",
    source = "net/smc: fix illegal rmb_desc access in SMC-D connection dump",
    requirements = { "CLC-006" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { { "ism", name = "dev" } } }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { { "ism", name = "dev" } } }
link("client", "server")
server:listen(5000)

for _, path in ipairs { "SMC-D", "SMC-R" } do
    if path == "SMC-R" then client:remove "dev" end
    local c = client:connect(server, 5000)
    local sizes = {}
    for _ = 1, 60 do
        sizes[c.rmb_bytes or 0] = true
        wait "250 ns"
    end
    c:connected()
    local s = server:accept(5000)
    expect(c.mode, path)
    expect_true(sizes[0] and sizes[65536], "the buffer was not seen to come")
    c:close()
    for _ = 1, 40 do
        local _ = c.rmb_bytes, s.sndbuf_bytes, s.readable, c.writable
        wait "250 ns"
    end
    s:close()
    wait "1 s"
    expect(c.state, "CLOSED")
    local _ = c.rmb_bytes
end
