-- The answer to a DELETE RKEY of version 2 does not repeat the keys: it says how many of them were unknown. Of the nine keys that a
-- message has room for all are looked at, the last one too.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "DELETE RKEY of version 2: how many keys were unknown",
    source = "linux net/smc/smc_llc.c",
    requirements = { "LLC-058", "LLC-081" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 2 } }
host "server" { address = "10.0.0.2/24", versions = { 2 } }
link("client", "server")

local c, s = connect(client, server)
wait_quiet()
local function ask(keys) -- type, length, flags, how many keys, how many unknown, reserved, keys
    local tail = ""
    for _, key in ipairs(keys) do tail = tail .. string.pack(">I4", key) end
    c:inject(string.pack("<B I2", 0x29, 44) .. "\0" .. string.char(#keys) .. "\0\0\0" .. tail .. ("\0"):rep(36 - #tail))
    return expect_message { "DELETE RKEY", from = "server", response = true }
end

local keys = {}
for i = 1, 9 do keys[i] = 0x11111111 * i end
local m = ask(keys)
expect(m.negative, true)
expect(m.invalid_count, 9)
expect(m.bytes:sub(7, 44), ("\0"):rep(38), "reserved bytes and keys")
m = ask { 0x11111111, 0x22222222 }
expect(m.invalid_count, 2)
s:send("unharmed")
expect(c:receive(8), "unharmed")
wait "1 s"
