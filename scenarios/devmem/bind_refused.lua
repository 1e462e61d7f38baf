-- A bind that cannot be is refused before anything changes: an index out of range, no right, no queue, a device that cannot.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Binds that are refused",
    source = "Linux Documentation/netlink/specs/netdev.yaml, net/core/devmem",
    requirements = { "DEVMEM-012", "DEVMEM-013" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", smc = false }
host "server" { address = "10.0.0.2/24", smc = false }
link("client", "server")

local d = server:devmem { queues = 4, buffer = "64 KiB" }
local before = server:devmem_state()
local function refused(t, wanted)
    local id, err = d:bind(t)
    expect(id, nil)
    expect(err, wanted)
    for q = 0, 3 do
        expect(d:queue(q).restarts, 0, "restarts of queue " .. q)
        expect(d:queue(q).dmabuf, 0)
        expect(d:queue(q).alive, true)
    end
    local now = server:devmem_state()
    expect(now.bindings, 0)
    expect(now.pools, before.pools)
end

refused({ queue = 4 }, "ERANGE")
refused({ queue = 999 }, "ERANGE")
refused({ queues = { 1, 2, 4 } }, "ERANGE")
refused({ queues = { 1, 2, 4294967295 } }, "ERANGE")
refused({ queue = 1, admin = false }, "EPERM")
refused({ queue = 999, admin = false }, "EPERM")
refused({ queues = {} }, "EINVAL")
refused({ queues = { 1, 2, 1 } }, "EINVAL")
refused({ queue = 1, type = "tx" }, "EINVAL")
local closed = server:device_buffer "64 KiB"
closed:close()
refused({ queue = 1, buffer = closed }, "EBADFD")
d:split(false)
refused({ queue = 1 }, "EOPNOTSUPP")
d:split(true)

-- A driver without single-queue restart.
server:interface "eth1" {}
local id, err = server:devmem({ interface = "eth1", queue_ops = false }):bind { queue = 1, buffer = d.buffer }
expect(err, "EOPNOTSUPP")

-- And as soon as nothing is wrong, it works; then splitting cannot be turned off.
local good = d:bind { queue = 1 }
expect(d:queue(1).dmabuf, good)
local _, busy = d:split(false)
expect(busy, "EBUSY")
d:steer { port = 15000, queue = 1 }
local c, s = connect(client, server, 15000)
c:send("through device memory")
expect(s:devmem_read(21), "through device memory")
