-- DONTNEED takes 128 entries and frees 1,024 fragments a call; what it does not know it skips; what is malformed frees nothing.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The limits of DONTNEED",
    source = "Linux Documentation/networking/devmem.rst",
    requirements = { "DEVMEM-006", "DEVMEM-007", "DEVMEM-008" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", smc = false }
host "server" { address = "10.0.0.2/24", smc = false }
link("client", "server", { mtu = 1500 })

local d = server:devmem { queues = 2, buffer = "8 MiB" }
local id = d:bind { queue = 1 }
d:steer { port = 15000, queue = 1 }
local c, s = connect(client, server, 15000, { rmb = 0 })
local held = {}
c:feed(1900000, { seed = 3 })
s:devmem_read(1900000, { keep = held })
expect_true(#held > 1200, "more than one call can free")
local out = #held
expect(s:devmem_info().tokens, out)

-- 129 entries, or not whole ones: refused, and nothing freed.
local entries = {}
for i = 1, 129 do entries[i] = string.pack("<I4I4", held[i].token, 1) end
local function error_of(bytes) return select(2, s:dontneed_bytes(bytes)) end
expect(error_of(table.concat(entries)), "EINVAL")
expect(error_of(entries[1]:sub(1, 7)), "EINVAL")
expect(error_of(entries[1] .. "x"), "EINVAL")
expect(s:devmem_info().tokens, out)

-- 128 are good, once.
entries[129] = nil
expect(s:dontneed_bytes(table.concat(entries)), 128)
out = out - 128
expect(s:devmem_info().tokens, out)
expect(s:dontneed_bytes(table.concat(entries)), 0, "the same tokens once more")
expect(s:dontneed { 0, 4000000, 4294967295 }, 0, "tokens that never were")
expect(s:devmem_info().tokens, out)

-- Tokens are numbers one after the other here: a range frees 1,024 at most, an endless one ends.
local low, high = held[129].token, held[129].token
for i = 129, #held do
    low, high = math.min(low, held[i].token), math.max(high, held[i].token)
end
expect(high - low + 1, out, "the tokens are one range")
expect(s:dontneed { { low, 0 } }, 0)
expect(s:dontneed { { low, 0xffffffff } }, 1024)
out = out - 1024
expect(s:devmem_info().tokens, out)
expect(s:dontneed { { high + 1, 0xffffffff } }, 0)
expect(s:dontneed { { low + 1024, out }, { low, 1 } }, out)
expect(s:devmem_info().tokens, 0)
expect(server:binding(id).available, server:binding(id).chunks)

-- A socket that is not TCP: EBADF, whatever else is wrong.
host "a" { address = "10.1.0.1/24" }
host "b" { address = "10.1.0.2/24" }
link("a", "b")
local x, y = connect(a, b, 15000)
expect(x.mode, "SMC-R")
expect(select(2, y:dontneed { 1 }), "EBADF")
expect(select(2, y:dontneed_bytes("odd")), "EBADF")
