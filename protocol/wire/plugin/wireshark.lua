-- The part that needs Wireshark (4.0 or newer). Loaded without it (plain lua), this file only returns the decoder.

if not Proto then
  return decode
end

local smclab = Proto("smclab", "Shared Memory Communications (smclab)")
local fields, failure = {}, ProtoExpert.new("smclab.malformed", "Malformed SMC message", expert.group.MALFORMED,
                                           expert.severity.ERROR)
local message_name = ProtoField.string("smclab.message", "Message")
local record_data = ProtoField.bytes("smclab.smcd_record.data", "data")

local integers = {[1] = ProtoField.uint8, [2] = ProtoField.uint16, [3] = ProtoField.uint24, [4] = ProtoField.uint32,
                  [8] = ProtoField.uint64}

local function new_field(layout, field)
  local name, title = "smclab." .. layout.name .. "." .. field.name, field.title
  local mask = field.mask ~= 0 and field.mask or nil
  if field.shown == "mac" then
    return ProtoField.ether(name, title)
  elseif field.shown == "gid" and field.size == 16 then
    return ProtoField.ipv6(name, title)
  elseif field.shown == "ip4" then
    return ProtoField.ipv4(name, title)
  elseif field.shown == "ascii" then
    return ProtoField.string(name, title)
  elseif field.kind == "bytes" then
    return ProtoField.bytes(name, title)
  elseif field.shown == "flag" then
    return ProtoField.bool(name, title, 8 * field.size, nil, mask or 255)
  end
  local dec = field.shown == "dec"
  return integers[field.size](name, title, dec and base.DEC or base.HEX, field.values, mask)
end

local function declare()
  local list = {message_name, record_data}
  for layout_name, layout in pairs(layouts) do
    fields[layout_name] = {}
    for i, field in ipairs(layout.fields) do
      fields[layout_name][i] = new_field(layout, field)
      table.insert(list, fields[layout_name][i])
    end
  end
  smclab.fields = list
  smclab.experts = {failure}
end
declare()

-- Reserved bytes are shown only if they are not zero.
local function hidden(bytes, at, field)
  return field.shown == "rsvd" and not tostring(decode.value(bytes, at, field)):find("[^0.]")
end

local function add_layout(tree, tvb, start, bytes, part, index, at)
  local layout = part.layout
  local title = part.count > 1 and layout.title .. " " .. index + 1 or layout.title
  local branch = tree:add(smclab, tvb(start + at, layout.size), title)
  for i, field in ipairs(layout.fields) do
    if not hidden(bytes, at, field) then
      local range = tvb(start + at + field.off, field.size)
      if field.kind == "leint" then
        branch:add_le(fields[layout.name][i], range)
      else
        branch:add(fields[layout.name][i], range)
      end
    end
  end
end

local function add_message(tree, tvb, start, message, bytes)
  local branch = tree:add(smclab, tvb(start, #bytes), "SMC (smclab): " .. message.title)
  branch:add(message_name, tvb(start, #bytes), message.name):set_generated()
  local parsed = decode.parse(message, bytes)
  decode.each_layout(parsed, function(part, index, at)
    add_layout(branch, tvb, start, bytes, part, index, at)
  end)
  if not parsed.whole then
    branch:add_proto_expert_info(failure)
  end
  return parsed, branch
end

-- LLC: a heuristic that comes before Wireshark's own on a payload it does not know ...
local llc_seen_in = nil -- frame whose LLC message the heuristic has decoded

local function llc_heuristic(tvb, pinfo, tree)
  local bytes = tvb:raw()
  local message = bytes:byte(1) and bytes:byte(1) >= 0x20 and decode.llc(bytes)
  if not message then
    return false
  end
  pinfo.cols.protocol = "SMC-R"
  pinfo.cols.info = message.title
  add_message(tree, tvb, 0, message, bytes)
  llc_seen_in = pinfo.number
  return true
end

-- ... and the post-dissector below, since RPC over RDMA or the SMC heuristic may have claimed the payload first.
local bth_opcode = Field.new("infiniband.bth.opcode")
local bth_pad = Field.new("infiniband.bth.padcnt")
local udp_length = Field.new("udp.length")
local grh_length = Field.new("infiniband.grh.paylen")
local clc_type = Field.new("smc.clc_msg")
local clc_length = Field.new("smc.length")
local tcp_payload = Field.new("tcp.payload")
local tcp_repeated = Field.new("tcp.analysis.retransmission")
local SEND_ONLY, BTH_BYTES, ICRC_BYTES = 4, 12, 4

-- Start and size of an RC SEND's payload: what UDP or the GRH says its bytes are, without BTH, padding and ICRC.
local function send_payload(tvb, opcode)
  local udp, grh, from = udp_length(), grh_length(), opcode.offset
  local size = udp and udp.value - 8 or grh and grh.value
  if not size then
    return nil
  end
  local pad = bth_pad()
  size = size - BTH_BYTES - ICRC_BYTES - (pad and pad.value or 0)
  if size <= 0 or from + BTH_BYTES + size > tvb:len() then
    return nil
  end
  return from + BTH_BYTES, size
end

local function decode_send(tvb, pinfo, tree)
  local opcode = bth_opcode()
  if not opcode or opcode.value ~= SEND_ONLY or llc_seen_in == pinfo.number then
    return
  end
  local start, size = send_payload(tvb, opcode)
  if not start then
    return
  end
  local bytes = tvb:raw(start, size)
  local message = decode.llc(bytes)
  if message then
    add_message(tree, tvb, start, message, bytes)
    if bytes:byte(1) >= 0x20 then
      pinfo.cols.protocol = "SMC-R"
      pinfo.cols.info = message.title
    end
  end
end

-- CLC: Wireshark has put the TCP stream together; a message begins 4 bytes before its type.
local function decode_clc(tree)
  local lengths = {clc_length()}
  for i, kind in ipairs({clc_type()}) do
    local source, start = kind.source, kind.offset - 4
    local size = lengths[i] and lengths[i].value
    if size and start >= 0 and start + size <= source:len() then
      local bytes = source:raw(start, size)
      local message = decode.find("clc", bytes)
      if message then
        add_message(tree, source, start, message, bytes)
      end
    end
  end
  return #lengths > 0
end

-- On a port that belongs to another protocol (5060: SIP) Wireshark does not look for CLC: whole messages at the start of
-- a segment are shown all the same.
local function decode_segment(tree)
  local payload = tcp_payload()
  if not payload or tcp_repeated() then
    return
  end
  local source, start = payload.source, payload.offset
  local bytes = source:raw(start, payload.len)
  local message, size = decode.clc(bytes)
  while message do
    add_message(tree, source, start, message, bytes:sub(1, size))
    start, bytes = start + size, bytes:sub(size + 1)
    message, size = decode.clc(bytes)
  end
end

function smclab.dissector(tvb, pinfo, tree)
  if not decode_clc(tree) then
    decode_segment(tree)
  end
  decode_send(tvb, pinfo, tree)
end
register_postdissector(smclab)

-- The SMC-D record.
local record = Proto("smclab_record", "SMC-D record")

local record_field = {}
for _, field in ipairs(layouts.smcd_record.fields) do
  record_field[field.name] = field
end

local function record_value(bytes, name)
  return decode.value(bytes, 0, record_field[name])
end

local function record_title(bytes)
  local value = record_value(bytes, "operation")
  return record_field.operation.values[value] or "operation " .. value
end

-- A signalled move of 32 bytes that begins as a CDC block does is one, in the byte order that the record names.
local function cdc_block(bytes, data)
  local message = decode.message(record_value(bytes, "byte_order") == 0 and "smcd_cdc_le" or "smcd_cdc_be")
  if record_value(bytes, "signal") == 1 and #data == message.min and data:byte(1) == 0xfe then
    return message
  end
end

function record.dissector(tvb, pinfo, tree)
  local bytes = tvb:raw()
  pinfo.cols.protocol = "SMC-D"
  local parsed, branch = add_message(tree, tvb, 0, decode.message("smcd_record"), bytes)
  if #parsed.parts == 0 then
    return tvb:len()
  end
  pinfo.cols.info = record_title(bytes)
  local data = bytes:sub(parsed.finish + 1)
  local block = cdc_block(bytes, data)
  if block then
    add_message(branch, tvb, parsed.finish, block, data)
  elseif data ~= "" then
    branch:add(record_data, tvb(parsed.finish))
  end
  return tvb:len()
end
DissectorTable.get("ethertype"):add(0x88b5, record)

smclab:register_heuristic("infiniband.payload", llc_heuristic)
return decode
