-- The same incast through a lossless class, with DCQCN and without: with it the switch has to stop its neighbours far less often, and
-- its queue is shorter once the first round trip is over, at no loss of throughput to speak of.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "DCQCN makes pauses rare and queues short",
    source = "Zhu et al., SIGCOMM 2015, 6",
    requirements = { "ROCE-008", "ROCE-012", "CURSOR-001" },
    targets = { "sim", "ns3" },
}

local senders = 8

local function incast(name, network, dcqcn)
    local net = star { hosts = senders + 1, name = name, switch = "sw_" .. name, network = network, rate = "10 Gbit/s",
        pfc = { lossless = { 3 }, xoff = "48 KiB", headroom = "32 KiB" }, ecn = { min = 5000, max = 200000, share = "1 %" },
        host = { dscp = 26, versions = { 2 }, dcqcn = dcqcn } }
    local sink, ends, moves = net.hosts[senders + 1], {}, {}
    for i = 1, senders do ends[i] = { connect(net.hosts[i], sink) } end
    local start = now()
    for i = 1, senders do moves[i] = transfer { from = ends[i][1], to = ends[i][2], bytes = "2 MiB", background = true } end
    -- The first millisecond belongs to the start at line rate; then a look each 20 µs.
    wait "1 ms"
    local sum, looks = 0, 400
    for _ = 1, looks do
        sum = sum + net.links[senders + 1]:counters(net.switch).queued
        wait "20 us"
    end
    for i = 1, senders do moves[i]:finish() end
    local result = { took = now() - start, queue = sum // looks, switch = net.switch:counters() }
    for _, e in ipairs(ends) do
        e[1]:close()
        e[2]:close()
        expect_state(e[1], "CLOSED")
    end
    expect(result.switch.queue_drops, 0)
    return result
end

local without, with = incast("p", "10.1", false), incast("q", "10.2", true)
expect_true(with.switch.pause_sent * 5 < without.switch.pause_sent,
    string.format("pauses: %d with DCQCN, %d without", with.switch.pause_sent, without.switch.pause_sent))
expect_true(with.queue * 2 < without.queue, string.format("mean queue: %d bytes with DCQCN, %d without", with.queue, without.queue))
expect_true(with.took < without.took * 3 // 2, string.format("time: %d ns with DCQCN, %d without", with.took, without.took))
expect(without.switch.ecn_marked, 0)
expect_true(with.switch.ecn_marked > 0, "nothing was marked")
