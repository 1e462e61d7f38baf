-- Test driver: reads the output of smc_print_fields, parses each message again with the plugin's core, prints the same form.
-- SPDX-License-Identifier: BSD-3-Clause
-- usage: lua plugin_core_driver.lua smclab.lua < FIELDS

local decode = dofile(arg[1])

local function text(value)
  return type(value) == "number" and ("%.0f"):format(value) or value
end

local function print_layout(bytes)
  return function(part, index, at)
    for _, field in ipairs(part.layout.fields) do
      print(("%s.%s %d %d %s"):format(part.layout.name, field.name, index, at + field.off,
                                      text(decode.value(bytes, at, field))))
    end
  end
end

for line in io.lines() do
  local hex = line:match("^message (%x*)$")
  if hex then
    local bytes = hex:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end)
    local message = decode.find(bytes:byte(1) == 0xe2 and "clc" or "llc", bytes)
    print(line)
    print(message and message.name or "unknown")
    local parsed = message and decode.parse(message, bytes)
    if parsed then
      decode.each_layout(parsed, print_layout(bytes))
      print(parsed.whole and "accepted" or "refused")
    end
  end
end
