-- Interprets the message grammars (wire/message.h) on bytes given as a Lua string. Pure Lua 5.2 to 5.4, no Wireshark.
-- Positions count from 0, as in the grammars; fields of a layout from 1.

local decode = {layouts = layouts, messages = messages}

-- Big-endian integer of up to 6 bytes: exact as a double (Lua 5.2 has no 64-bit integers).
local function integer(bytes, off, size)
  local value = 0
  for i = off + 1, off + size do
    value = value * 256 + bytes:byte(i)
  end
  return value
end

-- Masks are runs of one bits in one byte; without bit operators these are a division and a remainder.
local function masked(value, mask)
  local low, high = 1, 1
  while mask % (low * 2) == 0 do
    low = low * 2
  end
  while high <= mask do
    high = high * 2
  end
  return (value % high - value % low) / low
end

-- Fields that conditions, counts and offsets read; they have at most 4 bytes.
local function field_value(bytes, layout_at, field)
  local value = integer(bytes, layout_at + field.off, field.size)
  if field.mask ~= 0 then
    value = masked(value, field.mask)
  end
  return value
end

local function part_offset(parsed, name)
  for _, part in ipairs(parsed.parts) do
    if part.layout.name == name then
      return part.off
    end
  end
end

local function read(parsed, ref)
  local at = part_offset(parsed, ref.layout)
  return at and field_value(parsed.bytes, at, layouts[ref.layout].fields[ref.field])
end

local function has_bits(value, bits)
  while value > 0 and bits > 0 do
    if value % 2 == 1 and bits % 2 == 1 then
      return true
    end
    value, bits = (value - value % 2) / 2, (bits - bits % 2) / 2
  end
  return false
end

local compare = {
  eq = function(a, b) return a == b end,
  ne = function(a, b) return a ~= b end,
  le = function(a, b) return a <= b end,
  ge = function(a, b) return a >= b end,
  bits = has_bits,
}

local function unfit(parsed, term, room)
  local layout = layouts[term.layout]
  if room < layout.size then
    return true
  end
  local count = field_value(parsed.bytes, parsed.finish, layout.fields[term.field])
  return layout.size + count * term.value ~= room
end

local function holds(parsed, term, room)
  if term.kind == "room" then
    return room >= term.value
  elseif term.kind == "unfit" then
    return unfit(parsed, term, room)
  end
  local value = read(parsed, term)
  return value ~= nil and compare[term.kind](value, term.value)
end

local function all_hold(parsed, terms, room)
  for _, term in ipairs(terms) do
    if not holds(parsed, term, room) then
      return false
    end
  end
  return true
end

-- A count whose writer may have used either byte order, where `fits` entries have room.
local function either(count, fits)
  local swapped = count % 256 * 256 + (count - count % 256) / 256
  if count == fits or swapped == fits then
    return fits
  end
  return count <= fits and count or swapped <= fits and swapped or fits
end

local function repetitions(parsed, part, size, room)
  local rule, fits = part.count, math.floor(room / size)
  if rule.kind == "one" then
    return fits >= 1 and 1 or nil
  end
  local count = read(parsed, rule) or 0
  if rule.kind == "fit" then
    return math.min(count, fits)
  elseif rule.kind == "fit_both" then
    return either(count, fits)
  end
  if count > fits or (rule.max ~= 0 and count > rule.max) then
    return nil
  end
  return count
end

local function position(parsed, part)
  if part.place == "next" then
    return parsed.finish
  elseif part.place == "tail" then
    return parsed.limit
  end
  local field = layouts[part.offset.layout].fields[part.offset.field]
  local at = part_offset(parsed, part.offset.layout)
  return at and at + field.off + field.size + field_value(parsed.bytes, at, field)
end

-- False if the part does not fit where it should stand.
local function place(parsed, part)
  local layout, limit = layouts[part.layout], parsed.limit
  if not all_hold(parsed, part.when, limit - parsed.finish) then
    return true
  end
  local off = position(parsed, part)
  if part.place == "tail" then
    limit = #parsed.bytes
  end
  if not off or off < parsed.finish or off > limit then
    return false
  end
  local count = repetitions(parsed, part, layout.size, limit - off)
  if not count then
    return false
  end
  if count > 0 then
    table.insert(parsed.parts, {layout = layout, off = off, count = count})
    if part.place ~= "tail" then
      parsed.finish = off + count * layout.size
    end
  end
  return true
end

-- The parts of a message; `whole` is false if the grammar refuses the bytes (what stood before the fault is there).
function decode.parse(message, bytes)
  local parsed = {message = message, bytes = bytes, parts = {}, finish = 0, limit = #bytes, whole = false}
  for _, part in ipairs(message.parts) do
    if part.place == "tail" then
      parsed.limit = #bytes - layouts[part.layout].size
    end
  end
  if #bytes < message.min or #bytes > message.max then
    return parsed
  end
  for _, part in ipairs(message.parts) do
    if not place(parsed, part) then
      return parsed
    end
  end
  parsed.whole = message.ending ~= "exact" or parsed.finish == parsed.limit
  return parsed
end

local function matches(message, bytes)
  for _, term in ipairs(message.match) do
    local field = layouts[term.layout].fields[term.field]
    if #bytes < field.off + field.size or not compare[term.kind](field_value(bytes, 0, field), term.value) then
      return false
    end
  end
  return true
end

-- The message of a family ("clc", "llc") that the bytes are, or nil.
function decode.find(family, bytes)
  for _, message in ipairs(messages) do
    if message.family == family and matches(message, bytes) then
      return message
    end
  end
end

function decode.message(name)
  for _, message in ipairs(messages) do
    if message.name == name then
      return message
    end
  end
end

-- Calls back with (part, index, layout's offset) for every layout of a message.
function decode.each_layout(parsed, callback)
  for _, part in ipairs(parsed.parts) do
    for index = 0, part.count - 1 do
      callback(part, index, part.off + index * part.layout.size)
    end
  end
end

-- A field's value: a number, or a string of hex digits for bytes and for integers of 8 bytes.
function decode.value(bytes, layout_at, field)
  local off = layout_at + field.off
  if field.kind == "bytes" or field.size > 4 then
    local raw = bytes:sub(off + 1, off + field.size)
    if field.kind == "leint" then
      raw = raw:reverse()
    end
    return (raw:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
  elseif field.kind == "leint" then
    return integer(bytes:sub(off + 1, off + field.size):reverse(), 0, field.size)
  end
  return field_value(bytes, layout_at, field)
end

-- An RC SEND that is an LLC message: its grammar, or nil. The length field of v2 is in either byte order.
function decode.llc(bytes)
  if #bytes < 44 then
    return nil
  end
  local kind, first, second = bytes:byte(1, 3)
  local message = decode.find("llc", bytes)
  if not message then
    return nil
  elseif kind < 16 then
    return first == 44 and #bytes == 44 and message or nil
  end
  local big, little = first * 256 + second, second * 256 + first
  return (big == #bytes or little == #bytes or big == 44 or little == 44) and message or nil
end

-- The CLC message that bytes of a TCP stream begin with, and its length; nil if it is none or not all there.
function decode.clc(bytes)
  local mark = bytes:sub(1, 4)
  if mark ~= "\226\212\195\217" and mark ~= "\226\212\195\196" or #bytes < 8 then
    return nil
  end
  local size = bytes:byte(6) * 256 + bytes:byte(7)
  if size < 12 or size > #bytes then
    return nil
  end
  return decode.find("clc", bytes), size
end
