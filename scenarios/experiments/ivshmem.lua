-- Two virtual machines of one host: SMC-D over ivshmem, TCP over a network like virtio's, TCP over one like SR-IOV's.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "ivshmem against virtio-like TCP between virtual machines",
    source = "docs/experiments/ivshmem.md",
}
experiment {
    parameters = {
        path = { "TCP virtio", "TCP SR-IOV", "SMC-D ivshmem" },
        bytes = { 64, 1024, 4096, 16384, 65536 },
    },
    quick = { path = { "TCP virtio", "TCP SR-IOV", "SMC-D ivshmem" }, bytes = { 4096 } },
    repetitions = 10,
    measures = { "latency", "throughput" },
    plots = {
        { x = "bytes", y = "latency", by = "path", log = "xy", title = "One way: half of a call with its response" },
        { x = "bytes", y = "throughput", by = "path", log = "x", title = "A stream of 16 MiB, so many bytes a write" },
    },
}

-- Inputs of the model: a doorbell leaves the guest (1 us), an interrupt is injected into the other (2 us, and 1.5 us of its processor);
-- virtio: vhost's thread wakes and copies at 4 GB/s between, in frames of 64 KiB; SR-IOV: a NIC of 40 Gbit/s, jumbo frames.
local drawn = function(post) return costs(10, { interrupt = 1500, post = post }) end
local smc = parameter.path == "SMC-D ivshmem"
local virtio = parameter.path == "TCP virtio"
local post = smc and 1000 or 150
local devices = smc and { { "ivshmem", signal_delay = 2000 } } or {}
local one, two = drawn(post), drawn(post)
if virtio then -- a kick for each burst
    one.tcp_packet, two.tcp_packet = one.tcp_packet + 1000, two.tcp_packet + 1000
end
host "vm1" { address = "10.0.0.1/24", machine = "m", roce = false, cpu = one, devices = devices }
host "vm2" { address = "10.0.0.2/24", machine = "m", roce = false, cpu = two, devices = devices }
if virtio then
    link(vm1, vm2, { rate = "32 Gbit/s", delay = 5000, mtu = 65535, queue = "16 MiB" })
else
    link(vm1, vm2, { rate = "40 Gbit/s", delay = 3000, mtu = 9000, queue = "4 MiB" })
end

local function pair(port)
    local c, s = connect(vm1, vm2, port, { tcp_only = not smc, nodelay = true, tcp_buffer = "2 MiB", rmb = "1 MiB", sndbuf = "1 MiB" })
    expect(c.mode, smc and "SMC-D" or "TCP")
    return c, s
end
local c, s = pair(5000)
wait "10 ms"
local r = calls { from = c, to = s, request = parameter.bytes, count = 1000 }
measure("latency", r.mean / 2 / 1000, "us")
local d, t = pair(5001)
local x = stream { from = d, to = t, bytes = "16 MiB", chunk = parameter.bytes }
measure("throughput", x.bytes * 1000 / x.time, "MB/s")
for _, socket in ipairs { c, s, d, t } do socket:close() end
wait "1 s"
