-- B-36: long SMC-Rv2 messages are kept whole, and their counts are held against their lengths.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "B-36: counts and lengths of SMC-Rv2 LLC messages",
    source = "linux 8d3c1ab82c11, 2d1e7c5aaa33",
    requirements = { "LLC-070", "LLC-058", "LLC-076" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 2 } }
host "server" { address = "10.0.0.2/24", versions = { 2 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
local l0 = link("client", "server")
local l1 = link("client.eth1", "server.eth1")

local c, s = connect(client, server, 5000)
expect_links("client", 2)
expect_finding { id = "LLC-056", by = "client" }
expect_finding { id = "LLC-070", by = "client" }
skip_messages()
local function v2(type, length, tail) return string.char(type) .. string.pack("<I2", length) .. tail .. ("\0"):rep(length - 3 - #tail) end

-- 255 keys in 44 bytes: at most the nine that are there are looked at, and all of them are unknown.
c:inject(v2(0x29, 44, "\0\255"))
local m = expect_message { "DELETE RKEY", from = "server", response = true }
expect_true(m.invalid_count <= 9, "keys behind the message were counted: " .. m.invalid_count)
-- ADD LINK with 255 keys in 44 and in 88 bytes.
for _, length in ipairs { 44, 88 } do wait "100 us" c:inject(v2(0x22, length, "\0" .. ("\1"):rep(40) .. ("\0"):rep(26) .. "\0\255")) end
wait "100 us"
-- A CONFIRM RKEY that lists more links than there are places.
c:inject(v2(0x26, 44, "\0\255"))
expect_message { "CONFIRM RKEY", from = "server", response = true, negative = true }
wait "3 s"

-- Two long ones one behind the other, of which each is used as it was: data go where they belong, by either link.
for i = 1, 6 do connect(client, server, 5000, { rmb = 16384 << (i % 3) }) end
client:remove "roce eth1"
expect_links("server", 1)
client:restore "roce eth1"
expect_links("server", 2)
wait "1 s"
l0:down()
expect_links("client", 1, { within = "10 s" })
transfer { from = c, to = s, bytes = "200 KiB", both_ways = true }
