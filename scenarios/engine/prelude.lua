-- The scenario language (docs/scenarios.md), on the primitives of the engine. Runs before every scenario.
-- SPDX-License-Identifier: BSD-3-Clause
local lab, run_seed = ...
seed = run_seed
local WITHIN = "10 s"

local function text(v)
    if type(v) == "string" then
        if #v <= 80 and not v:find("[^%g ]") then return string.format("%q", v) end
        local shown = v:sub(1, 24):gsub(".", function(c) return string.format("%02x ", c:byte()) end)
        return string.format("%d bytes: %s%s", #v, shown, #v > 24 and "…" or "")
    elseif math.type(v) == "integer" and v > 0xffff then
        return string.format("%d (0x%x)", v, v)
    elseif type(v) == "table" then
        local parts = {}
        for k, x in pairs(v) do
            if type(k) == "number" then parts[#parts + 1] = text(x) else parts[#parts + 1] = k .. " = " .. text(x) end
        end
        return "{ " .. table.concat(parts, ", ") .. " }"
    end
    return tostring(v)
end

local function within(options) return lab.time(options and options.within or WITHIN) end

function scenario(t) return lab.header(t) end
function wait(t) return lab.wait(t) end
function wait_quiet() return lab.wait_quiet() end
function now() return lab.now() end
function random(n) return lab.random(n) end
function encode(t) return lab.encode(t) end
function hex(s) return (s:gsub("%s+", ""):gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end)) end
function pattern(n, t) return lab.pattern(lab.size(n), t and t.seed or 1) end

-- ---- sockets ---------------------------------------------------------------------------------------------------------
local Socket = {}
local flags = { oob = 1, peek = 2, more = 4 }

local function socket(id, host, port) return setmetatable({ id = id, host = host, port = port }, Socket) end

function Socket.__index(s, key)
    local method = Socket[key]
    if method ~= nil then return method end
    return lab.socket_info(s.id)[key]
end
function Socket.__tostring(s) return string.format("socket %d of %s", s.id, s.host) end

function Socket:connected(options)
    if not lab.connected(self.id, within(options)) then
        lab.fail(string.format("%s is not connected: still %s, and no message decided it", tostring(self), self.state))
    end
    return self.mode
end
local function send(self, bytes, options, flag)
    local taken, err = lab.send(self.id, bytes, flag, within(options))
    if taken < #bytes then
        lab.fail(string.format("%s took %d of %d bytes: %s", tostring(self), taken, #bytes, err or "no room in time"))
    end
    return taken
end
function Socket:send(bytes, options) return send(self, bytes, options, options and options.more and flags.more or 0) end
function Socket:try_send(bytes) return lab.send(self.id, bytes, 0, 0) end
function Socket:urgent(bytes, options) return send(self, bytes, options, flags.oob) end
function Socket:try_receive(n) return lab.receive(self.id, n, 0, 0) end
function Socket:receive(n, options)
    n = lab.size(n)
    local got, err = lab.receive(self.id, n, 0, within(options))
    if #got < n and err ~= "END" then
        lab.fail(string.format("%s received %d of %d bytes: %s", tostring(self), #got, n, err or "nothing more came"))
    end
    return got
end
function Socket:receive_all(options)
    local all = {}
    while true do
        local got, err = lab.receive(self.id, 65536, 0, within(options))
        all[#all + 1] = got
        if err == "END" then return table.concat(all) end
        if err then lab.fail(string.format("%s: the stream did not end in order: %s", tostring(self), err)) end
    end
end
function Socket:peek(n, options) return (lab.receive(self.id, lab.size(n), flags.peek, within(options))) end
function Socket:read_urgent()
    local got, err = lab.receive(self.id, 1, flags.oob, 0)
    if #got == 1 then return got end
    return nil, err
end
function Socket:wait_urgent(options)
    if not lab.wait_events(self.id, 8, within(options)) then lab.fail(tostring(self) .. ": no urgent data was announced") end
end
function Socket:at_end(options)
    local got, err = lab.receive(self.id, 1, 0, within(options))
    if #got > 0 then lab.fail(tostring(self) .. ": there is a byte, not the end of the stream") end
    if err ~= "END" then lab.fail(tostring(self) .. ": the stream did not end: " .. (err or "nothing came")) end
end
function Socket:shutdown(how) return lab.shutdown(self.id, how or "write") end
function Socket:close() return lab.close(self.id) end
function Socket:set(t) return lab.set(self.id, t) end
function Socket:mute(on) return lab.mute(self.id, on ~= false) end
function Socket:inject_clc(what)
    if type(what) == "table" then
        if not what[1]:find("^CLC ") then what[1] = "CLC " .. what[1] end
        what = lab.encode(what)
    end
    return lab.inject_tcp(self.id, what)
end
function Socket:inject(what, options)
    local link = type(what) == "table" and what.link or options and options.link or 0
    if type(what) == "table" then
        if what[1] == "CDC" and what.token == nil then what.token = self.peer_token end
        what = lab.encode(what)
    end
    return lab.inject_link(self.id, what, link)
end
function Socket:inject_smcd(offset, bytes) return lab.inject_smcd(self.id, offset, bytes) end

-- ---- hosts -----------------------------------------------------------------------------------------------------------
local Host = {}
Host.__index = Host
function Host.__tostring(h) return h.name end
local function name_of(h) return type(h) == "table" and h.name or h end

function Host:interface(name)
    return function(t) lab.interface(self.name, name, t or {}) return self end
end
function Host:device(kind)
    return function(t) lab.device(self.name, kind, t or {}) return self end
end
function Host:listen(port, options)
    self.listeners[port] = lab.listen(self.name, port, options or {})
    return socket(self.listeners[port], self.name, port)
end
function Host:connect(peer, port, options) return socket(lab.connect(self.name, name_of(peer), port, options or {}), self.name, port) end
function Host:accept(port, options)
    local listener = self.listeners[port] or error(self.name .. " does not listen on port " .. port, 2)
    local id = lab.accept(listener, within(options))
    if not id then lab.fail(string.format("%s accepted no connection on port %d", self.name, port)) end
    return socket(id, self.name, port)
end
function Host:try_accept(port, options)
    local id = lab.accept(self.listeners[port], within(options or { within = 0 }))
    return id and socket(id, self.name, port)
end
function Host:remove(what) return lab.present(self.name, what, false) end
function Host:restore(what) return lab.present(self.name, what, true) end
function Host:set_address(interface, address) return lab.set_address(self.name, interface, address) end
function Host:kill() return lab.kill(self.name) end
function Host:inject_frame(interface, bytes) return lab.inject_frame(self.name, interface, bytes) end
function Host:edit(t) return lab.edit(self.name, t) end
function Host:roce_fault(interface, t) return lab.roce_fault(self.name, interface, t) end
function Host:fault(device, point, t) return lab.dibs_fault(self.name, device, point, t or {}) end

local host_fields = {}
for name in ([[address profile versions paths release ueids seid smc machine devices roce mtu vlan pnet gateway no_copy
        autocork ipsec rmb sndbuf emulated_ism]]):gmatch("%S+") do host_fields[name] = true end

function host(name)
    return function(t)
        t = t or {}
        for key in pairs(t) do
            if not host_fields[key] then error(string.format("a host has no field %q", key), 2) end
        end
        lab.host(name, t)
        local h = setmetatable({ name = name, listeners = {} }, Host)
        if t.address then
            lab.interface(name, "eth0", { address = t.address, roce = t.roce, mtu = t.mtu, vlan = t.vlan, pnet = t.pnet, gateway = t.gateway })
        end
        for _, d in ipairs(t.devices or {}) do
            if type(d) == "string" then d = { d } end
            lab.device(name, d[1], d)
        end
        _G[name] = h
        return h
    end
end

-- ---- networks --------------------------------------------------------------------------------------------------------
local Link = {}
Link.__index = Link
local switches = {}

local function port_of(p)
    p = name_of(p)
    if p:find(".", 1, true) or switches[p] then return p end
    return p .. ".eth0"
end
function link(a, b, options)
    return setmetatable({ name = lab.link(port_of(a), port_of(b), options or {}) }, Link)
end
function switch(name)
    lab.switch(name)
    switches[name] = true
    return name
end
-- A link with a box in it; returns the link on the clients' side and that on the servers'.
function middlebox(a, b, kind, options)
    local name = "box" .. #switches + 1
    switches[#switches + 1] = name
    lab.box(name, kind == "strip to client" and "strip to 0" or kind == "strip to server" and "strip to 1" or kind)
    return link(a, name .. ".0", options), link(name .. ".1", b, options), name
end
function balance(box, address, servers)
    local names = {}
    for i, s in ipairs(servers) do names[i] = name_of(s) end
    return lab.balance(box, address, names)
end
for _, kind in ipairs { "loss", "duplicate", "corrupt", "corrupt_deep", "jitter" } do
    Link[kind] = function(l, share, from) return lab.rate(l.name, kind, share, nil, from and name_of(from)) end
end
function Link:reorder(share, late, from) return lab.rate(self.name, "reorder", share, late, from and name_of(from)) end
function Link:clear() return lab.clear(self.name) end
for _, action in ipairs { "drop", "copy", "delay", "hold", "pass" } do
    Link[action] = function(l, t)
        if t.from then t.from = name_of(t.from) end
        return lab.rule(l.name, action, t)
    end
end
function Link:release() return lab.release(self.name) end
function Link:partition(from) return lab.partition(self.name, true, from and name_of(from)) end
function Link:heal(from) return lab.partition(self.name, false, from and name_of(from)) end
function Link:down() return lab.link_up(self.name, false) end
function Link:up() return lab.link_up(self.name, true) end

function connect(from, to, port, options)
    port = port or 5000
    if not to.listeners[port] then to:listen(port, options) end
    local c = from:connect(to, port, options)
    local s = to:accept(port, options)
    c:connected(options)
    return c, s
end

-- ---- expectations ----------------------------------------------------------------------------------------------------
local function same(a, b)
    if type(a) ~= "table" or type(b) ~= "table" then return a == b end
    for k, v in pairs(b) do
        if not same(a[k], v) then return false end
    end
    return true
end

function expect(got, wanted, what)
    if not same(got, wanted) then
        lab.fail(string.format("%sexpected %s, got %s", what and what .. ": " or "", text(wanted), text(got)))
    end
    return got
end
function expect_true(condition, what)
    if not condition then lab.fail(what or "the condition does not hold") end
end
function expect_state(s, state, options)
    local held, is = lab.wait_state(s.id, state, within(options))
    if not held then lab.fail(string.format("%s: expected state %s, it is %s", tostring(s), state, is)) end
end
function expect_error(s, name, options)
    lab.wait_events(s.id, 32, within(options))
    if s.error ~= name then lab.fail(string.format("%s: expected the error %s, got %s", tostring(s), name, text(s.error))) end
end
function group(h, i) return lab.group(name_of(h), i or 1) end
function groups(h) return lab.group_count(name_of(h)) end
function counters(h) return lab.counters(name_of(h)) end

local function wait_until(predicate, options)
    local deadline = lab.now() + within(options)
    while not predicate() do
        if lab.now() >= deadline then return false end
        lab.wait("1 ms")
    end
    return true
end
function wait_for(predicate, what, options)
    if not wait_until(predicate, options) then lab.fail(what or "what was waited for did not happen") end
end
local function active_links(h)
    local g, n = lab.group(name_of(h), 1), 0
    for _, l in ipairs(g and g.links or {}) do
        if l.state == "ACTIVE" then n = n + 1 end
    end
    return n
end
function expect_links(h, n, options)
    if not wait_until(function() return active_links(h) == n end, options) then
        lab.fail(string.format("%s: expected %d active links, there are %d", name_of(h), n, active_links(h)))
    end
end
function expect_groups(h, n, options)
    if not wait_until(function() return lab.group_count(name_of(h)) == n end, options) then
        lab.fail(string.format("%s: expected %d link groups, there are %d", name_of(h), n, lab.group_count(name_of(h))))
    end
end

-- ---- messages --------------------------------------------------------------------------------------------------------
local cursor = 0
local not_fields = { within = true, from = true, to = true, after = true }

local function matches(i, t)
    local name, from = lab.seen_name(i)
    if name ~= t[1] and t[1] ~= nil then return false end
    if t.from and from ~= "" and from ~= name_of(t.from) then return false end
    local m = lab.seen(i)
    if t.to and m.to ~= "" and m.to ~= name_of(t.to) then return false end
    for key, wanted in pairs(t) do
        if type(key) == "string" and not not_fields[key] then
            if type(wanted) == "function" then
                if not wanted(m[key]) then return false end
            elseif m[key] ~= wanted then
                return false
            end
        end
    end
    return m
end

local function find(t, from, deadline)
    local i = from
    while true do
        while i < lab.seen_count() do
            i = i + 1
            local m = matches(i, t)
            if m then return m, i end
        end
        if lab.now() >= deadline or not lab.wait_seen(i, deadline) then return nil end
    end
end

local function shown(t)
    local copy = {}
    for k, v in pairs(t) do
        if k ~= "within" then copy[k] = type(v) == "table" and v.name or v end
    end
    return text(copy)
end

function expect_message(t)
    local m, at = find(t, t.after == 0 and 0 or cursor, lab.now() + within(t))
    if not m then
        local last = lab.seen_count()
        local name, from = lab.seen_name(last)
        lab.fail(string.format("no message %s came; %d messages behind the last one expected, the last is %s from %s", shown(t), last - cursor,
            name or "none", from or "nobody"))
    end
    if t.after ~= 0 then cursor = at end
    return m
end
function expect_no_message(t)
    local m = find(t, t.after == 0 and 0 or cursor, lab.now() + within(t))
    if m then lab.fail(string.format("a message came that must not: %s from %s at %d ns, %s", m.name, m.from, m.at, shown(t))) end
end
function messages(t)
    local all = {}
    for i = 1, lab.seen_count() do
        local m = matches(i, t or {})
        if m then all[#all + 1] = m end
    end
    return all
end
function count_messages(t)
    local n = 0
    for i = 1, lab.seen_count() do
        if matches(i, t or {}) then n = n + 1 end
    end
    return n
end
function skip_messages() cursor = lab.seen_count() end
function expect_finding(t)
    if t.by then t.by = name_of(t.by) end
    return lab.finding(t)
end

-- ---- traffic ---------------------------------------------------------------------------------------------------------
local Transfer = {}
Transfer.__index = Transfer
local next_pattern = 100

function Transfer:check(s, n, deadline)
    local state = lab.traffic_state(s.id, deadline)
    if state.wrong_at then lab.fail(string.format("%s: the byte at %d is wrong", tostring(s), state.wrong_at)) end
    if state.received < n then
        lab.fail(string.format("%s received %d of %d bytes (state %s, error %s)", tostring(s), state.received, n, s.state, text(s.error)))
    end
end
function Transfer:finish(options)
    local deadline = within(options or self)
    self:check(self.to, self.bytes, deadline)
    if self.both_ways then self:check(self.from, self.bytes, deadline) end
    return self
end
function Transfer:received() return lab.traffic_state(self.to.id, 0).received end
function Transfer:sent() return lab.traffic_state(self.from.id, 0).sent end

function transfer(t)
    t.bytes = lab.size(t.bytes)
    local there, back = next_pattern, next_pattern + 1
    next_pattern = next_pattern + 2
    local reverse = t.both_ways and t.bytes or 0
    lab.traffic(t.to.id, { receive = t.bytes, receive_pattern = there, send = reverse, send_pattern = back, chunk = t.chunk,
        read_chunk = t.read_chunk, read_delay = t.read_delay, write_delay = t.write_delay, close = t.close, shutdown = t.shutdown })
    lab.traffic(t.from.id, { send = t.bytes, send_pattern = there, receive = reverse, receive_pattern = back, chunk = t.chunk,
        write_delay = t.write_delay, read_chunk = t.read_chunk, close = t.close, shutdown = t.shutdown })
    local transfer = setmetatable(t, Transfer)
    t.within = t.within or "120 s"
    if not t.background then transfer:finish() end
    return transfer
end
