-- Device Memory TCP against a receiver that copies, on a line of 200 Gbit/s.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Device Memory TCP against copying",
    source = "docs/experiments/devmem.md",
}
experiment {
    parameters = {
        receiver = { "copy", "devmem" },
        copy_rate = { 5, 10, 20, 40 }, -- GB/s that the receiving processor copies
    },
    quick = { receiver = { "copy", "devmem" }, copy_rate = { 10 } },
    repetitions = 10,
    measures = { "throughput", "cpu" },
    plots = {
        { x = "copy_rate", y = "throughput", by = "receiver", title = "One connection on a line of 200 Gbit/s" },
        { x = "copy_rate", y = "cpu", by = "receiver", title = "How busy the receiving processor is" },
    },
}

-- The sender sends without copying (MSG_ZEROCOPY or sendfile), and is not what is measured.
local sender = costs(10)
sender.copy = 0
host "sender" { address = "10.0.0.1/24", smc = false, cpu = sender }
host "receiver" { address = "10.0.0.2/24", smc = false, cpu = costs(10, { copy = parameter.copy_rate * 1000000000 }) }
link("sender", "receiver", { rate = "200 Gbit/s", delay = 900 + random(200), mtu = 9000, queue = "8 MiB" })

local bytes, port = 32 << 20, 5000
local devmem = parameter.receiver == "devmem"
if devmem then
    local d = receiver:devmem { queues = 2, buffer = "64 MiB" }
    d:bind { queue = 1 }
    d:steer { port = port, queue = 1 }
end
_G.receiver:listen(port, { tcp_buffer = "8 MiB" })
local c, s = connect(_G.sender, receiver, port, { tcp_buffer = "8 MiB" })
local begin, busy = now(), cpu(receiver).busy
if devmem then
    c:feed(bytes, { chunk = 1 << 20 })
    local got = 0
    while got < bytes do
        local m = s:devmem_receive(1 << 20, { control = 1000 * 40 })
        got = got + m.bytes
        expect(#m.linear, 0)
        for i = 1, #m.fragments, 128 do -- as many entries as a call takes
            s:dontneed(table.move(m.fragments, i, math.min(i + 127, #m.fragments), 1, {}))
        end
    end
else
    stream { from = c, to = s, bytes = bytes, chunk = 1 << 20 }
end
local time = now() - begin
measure("throughput", bytes * 8 / time, "Gbit/s")
measure("cpu", (cpu(receiver).busy - busy) * 100 / time, "%")
c:close()
s:close()
wait "1 s"
