-- UEID lists and SEIDs of both sides, for SMC-Dv2 and SMC-Rv2: an equal SEID first (SMC-D only), else the first UEID in the client's
-- order that the server knows; with none in common the Decline that says so. The agreed one stands in the Accept.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "EIDs: which is agreed",
    source = "linux net/smc/smc_clc.c",
    requirements = { "CLC-024", "CLC-061", "CLC-062", "CLC-064", "SMCD-026" },
    targets = { "sim", "ns3" },
}

local lists = { { "ONE" }, { "TWO", "ONE" }, { "ONE", "TWO" }, { "OTHER" }, {}, { "A1", "A2", "A3", "A4", "A5", "A6", "A7", "TWO" } }
local seids = { false, "IBM-SYSZ-ISMSEID000000001A2B3906", "IBM-SYSZ-ISMSEID000000007C8D8561" }
local function blank(eid) return eid .. string.rep(" ", 32 - #eid) end

local function agreed(c, s, smc_d)
    if smc_d and c.seid and c.seid == s.seid then return c.seid end
    for _, mine in ipairs(c.ueids) do
        for _, theirs in ipairs(s.ueids) do if mine == theirs then return mine end end
    end
end

-- The code of a server's Decline, or of a client that has nothing to offer.
local function refusal(c, s, smc_d)
    if not smc_d and #c.ueids == 0 then return "client", 0x03030000 end
    if #s.ueids == 0 and not (smc_d and s.seid) or #c.ueids == 0 and not (smc_d and c.seid) then return "server", 0x03030008 end
    return "server", smc_d and 0x03030007 or 0x03030000
end

local n = 0
for d = 0, 1 do
    local smc_d, all = d == 1, {}
    local sw = switch("sw" .. d)
    for i, ueids in ipairs(lists) do
        for k, seid in ipairs(seids) do
            if smc_d or k == 1 then
                n = n + 1
                for side = 1, 2 do
                    local name = (side == 1 and "c" or "s") .. n
                    host(name) { address = "10." .. d .. "." .. side .. "." .. n .. "/16", machine = "m", versions = { 2 }, paths = { smc_d and "D" or "R" },
                                 ueids = ueids, seid = seid or nil, devices = { smc_d and "ism" or nil }, rmb = "16 KiB" }
                    if (n - 1) % 10 == 0 and side == 1 and #all > 0 then
                        switch(sw .. "x")
                        link(sw, sw .. "x")
                        sw = sw .. "x"
                    end
                    link(name, sw)
                end
                _G["s" .. n]:listen(5000)
                all[#all + 1] = { ueids = ueids, seid = seid, client = _G["c" .. n], server = _G["s" .. n] }
            end
        end
    end
    for _, a in ipairs(all) do
        for _, b in ipairs(all) do
            local c = a.client:connect(b.server, 5000)
            local s = b.server:accept(5000)
            c:connected()
            local eid, what = agreed(a, b, smc_d), string.format("%s {%s} %s against {%s} %s", smc_d and "D" or "R", table.concat(a.ueids, " "), a.seid, table.concat(b.ueids, " "), b.seid)
            if eid then
                expect(c.mode, smc_d and "SMC-D" or "SMC-R", what)
                expect(expect_message({ "CLC Accept", from = b.server }).eid, blank(eid), what)
                expect(expect_message({ "CLC Confirm", from = a.client }).eid, blank(eid), what)
            else
                local who, code = refusal(a, b, smc_d)
                expect(c.mode, "TCP", what)
                expect(who == "client" and c.fallback or c.peer_diagnosis, code, what)
                expect(who == "client" and s.peer_diagnosis or s.fallback, code, what)
            end
            c:close()
            s:close()
        end
    end
end
