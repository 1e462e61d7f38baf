-- Declines of all kinds, at all times: with S, with reserved bits, twice, cut short, before the Proposal, after the Accept.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Declines",
    source = "RFC 7609 A.2.5, C",
    requirements = { "CLC-010", "CLC-012", "CLC-046", "CLC-052" },
    targets = { "sim", "ns3", "vm" },
    roles = { "server" },
    hostile = true,
}

expect_finding { id = "CLC-046", by = "client" }
known_bug { bug = "6", real = "server", failure = "blocked for more than" }
known_bug { bug = "6", real = "server", failure = "possible recursive locking" } -- what PROVE_LOCKING says of it
if real_time() then expect_finding { id = "*", by = "client", maybe = true } end -- what follows depends on the real host's answer

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")

local function works(c, s)
    c:send(pattern(20000, { seed = 7 }))
    expect(s:receive(20000), pattern(20000, { seed = 7 }))
    s:send(pattern(20000, { seed = 8 }))
    expect(c:receive(20000), pattern(20000, { seed = 8 }))
end
server:listen(5000)
local decline = encode { "CLC Decline", diagnosis = 0x99999999 }
local s_bit = encode { "CLC Decline", diagnosis = 0x04000000, out_of_sync = true }
local kept, kept_s
for i, d in ipairs { decline, s_bit, encode { "CLC Decline", version = 2, diagnosis = 0 }, encode { "CLC Decline", diagnosis = 1, reserved1 = 7, reserved2 = 15 }, decline .. decline, decline:sub(1, 20), decline .. "data behind" } do
    for _, name in ipairs { "CLC Proposal", "CLC Confirm" } do
        if #d >= 28 or name == "CLC Proposal" then
            client:edit { name, bytes = function() return d end }
            local c = client:connect(server, 5000)
            c:decided "10 s"
            if real_time() then wait "200 ms" end
            local s = server:try_accept(5000)
            if s and i == 5 or s and i == 7 then -- what follows a Decline is the application's
                expect_true(#s:try_receive(100) > 0, "nothing came")
            end
            c:close()
            if s then s:close() end
            wait(real_time() and "200 ms" or "3 s")
        end
    end
end
local c, s = connect(client, server, 5000)
works(c, s)
