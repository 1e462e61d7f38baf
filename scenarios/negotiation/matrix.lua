-- Each combination of versions {1}, {2}, {1,2}, paths R, D, both and kinds of devices on both sides: the mode and version that
-- must come out, or who declines with which code, are worked out below from the rules, and compared with what happened.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Version, paths and devices of either side: what must come out",
    source = "linux net/smc/af_smc.c; RFC 7609 C.1",
    requirements = { "CLC-004", "CLC-022", "CLC-029", "CLC-030", "CLC-046", "CLC-055", "CLC-072", "CLC-076", "SMCD-025", "DIBS-018" },
    targets = { "sim", "ns3" },
}

local versions = { { 1 }, { 2 }, { 1, 2 } }
local paths = { { "R" }, { "D" }, { "R", "D" } }
local kinds = {
    { name = "none", roce = false, devices = {} },
    { name = "rocev1", roce = "v1", devices = {}, r1 = true },
    { name = "rocev2", roce = "v2", devices = {}, r2 = true },
    { name = "roce", roce = true, devices = {}, r1 = true, r2 = true },
    { name = "ism", roce = false, devices = { "ism" }, native = true },
    { name = "loopback", roce = false, devices = { "loopback" }, emulated = true },
    { name = "all", roce = true, devices = { "ism", "loopback" }, r1 = true, r2 = true, native = true, emulated = true },
}

local function has(list, what)
    for _, v in ipairs(list) do if v == what then return true end end
    return false
end

-- What a host can use of each of the four ways.
local function ways(h)
    local v1, v2, r, d = has(h.versions, 1), has(h.versions, 2), has(h.paths, "R"), has(h.paths, "D")
    local k = h.kind
    return { d2 = v2 and d and (k.native or k.emulated), d1 = v1 and d and k.native, r2 = v2 and r and k.r2, r1 = v1 and r and k.r1 }
end

-- The answer to client's offer, in the server's order of trying; the first reason that is met is the Decline's.
local function expected(client, server)
    local offer, can = ways(client), ways(server)
    if not (offer.d2 or offer.d1 or offer.r2 or offer.r1) then return { "TCP", client = 0x03030000 } end
    local v1, v2 = has(server.versions, 1), has(server.versions, 2)
    local r, d = has(server.paths, "R"), has(server.paths, "D")
    if not ((offer.d1 or offer.r1) and v1) and not ((offer.d2 or offer.r2) and v2) then return { "TCP", server = 0x030c0000 } end
    local try = { d2 = offer.d2 and v2 and d, d1 = offer.d1 and v1 and d, r2 = offer.r2 and v2 and r, r1 = offer.r1 and v1 and r }
    if not (try.d2 or try.d1 or try.r2 or try.r1) then return { "TCP", server = 0x03040000 } end
    local reason
    for _, way in ipairs { { "d2", "SMC-D", 2, 0x03030007 }, { "d1", "SMC-D", 1, 0x03030001 }, { "r2", "SMC-R", 2, 0x03030002 }, { "r1", "SMC-R", 1 } } do
        if try[way[1]] then
            local common = can[way[1]]
            if way[1] == "d2" then
                common = (client.kind.native and server.kind.native) or (client.kind.emulated and server.kind.emulated)
            end
            if common then return { way[2], version = way[3] } end
            reason = reason or way[4]
        end
    end
    return { "TCP", server = reason or 0x03030000 }
end

local all, at, ports = {}, 0, 0
local function plug(name)
    if ports % 24 == 0 then
        switch("sw" .. ports // 24)
        if ports > 0 then link("sw" .. ports // 24 - 1, "sw" .. ports // 24) end
    end
    link(name, "sw" .. ports // 24)
    ports = ports + 1
end
for _, v in ipairs(versions) do
    for _, p in ipairs(paths) do
        for _, kind in ipairs(kinds) do
            at = at + 1
            for side = 1, 2 do
                local name = (side == 1 and "c" or "s") .. at
                host(name) { address = "10.0." .. side .. "." .. at .. "/16", machine = "m", versions = v, paths = p, roce = kind.roce, devices = kind.devices, rmb = "16 KiB", sndbuf = "16 KiB" }
                plug(name)
            end
            all[at] = { versions = v, paths = p, kind = kind, client = _G["c" .. at], server = _G["s" .. at] }
            all[at].server:listen(5000)
            all[at].text = string.format("versions %s paths %s devices %s", table.concat(v, ","), table.concat(p, ","), kind.name)
        end
    end
end

local count, modes = 0, {}
for i, a in ipairs(all) do
    for k, b in ipairs(all) do
        local c = a.client:connect(b.server, 5000)
        local s = b.server:accept(5000)
        c:connected()
        local e, what = expected(a, b), a.text .. " against " .. b.text
        expect(c.mode, e[1], what)
        expect(s.mode, e[1], what)
        if e.version then
            expect(c.version, e.version, what)
            expect(s.version, e.version, what)
        elseif e.client then
            expect(c.fallback, e.client, what)
            expect(s.peer_diagnosis, e.client, what)
        else
            expect(s.fallback, e.server, what)
            expect(c.peer_diagnosis, e.server, what)
        end
        c:send("to")
        expect(s:receive(2), "to", what)
        s:send("fro")
        expect(c:receive(3), "fro", what)
        c:close()
        s:close()
        count = count + 1
        modes[e[1]] = (modes[e[1]] or 0) + 1
    end
end
expect(count, #all * #all)
expect_true(modes["SMC-R"] > 100 and modes["SMC-D"] > 100 and modes["TCP"] > 100, "the matrix is one-sided")
