--- Logging: the user's logger made safe, and a structured one for servers.
--
-- A logger is `function(level, message, fields)`; levels are `debug`, `info`,
-- `warn` and `error`. Whoever logs puts no secret and no payload value into
-- `message` or `fields`; this module keeps control bytes out of the output and
-- caps values and lines.
-- @module flexhooks.log

local ascii = require "flexhooks.util.ascii"
local errors = require "flexhooks.error"
local options = require "flexhooks.util.options"

local M = {}

-- Most bytes of a value and of a line. Docker splits lines above 16 KiB.
local LIMITS = { value = 4096, line = 16384 }
local MOST_OF_A_NAME = 64
local MARK = 32 -- bytes for what was cut

local RANK = { debug = 1, info = 2, warn = 3, error = 4 }

local function hex(bytes)
  return (bytes:gsub(".", function(c)
    return ("\\x%02x"):format(c:byte())
  end))
end

-- UTF-8 sequences that move the cursor or turn the text around: C1 controls,
-- direction marks, line and paragraph separators, and the byte order mark.
local HARMFUL = {
  "\194[\128-\159]", "\216\156", "\225\160\142", "\226\128[\139-\143]",
  "\226\128[\168-\174]", "\226\129[\160-\175]", "\239\187\191",
}

-- Well-formed UTF-8 sequences of more than one byte.
local WIDE = {
  "^[\194-\223][\128-\191]",
  "^\224[\160-\191][\128-\191]",
  "^[\225-\236\238\239][\128-\191][\128-\191]",
  "^\237[\128-\159][\128-\191]",
  "^\240[\144-\191][\128-\191][\128-\191]",
  "^[\241-\243][\128-\191][\128-\191][\128-\191]",
  "^\244[\128-\143][\128-\191][\128-\191]",
}

-- The character at `i`; nil where the bytes there are no UTF-8.
local function character(s, i)
  if s:byte(i) < 0x80 then
    return s:sub(i, i)
  end
  for _, pattern in ipairs(WIDE) do
    local sequence = s:match(pattern, i)
    if sequence then
      return sequence
    end
  end
end

-- With what `instead` makes of each byte that is no UTF-8 in its place.
local function well_formed(s, instead)
  local out, i = {}, 1
  while i <= #s do
    local piece = character(s, i)
    out[#out + 1] = piece or instead(s:sub(i, i))
    i = i + (piece and #piece or 1)
  end
  return table.concat(out)
end

local function escape_wide(s)
  s = well_formed(s, hex)
  for _, pattern in ipairs(HARMFUL) do
    s = s:gsub(pattern, hex)
  end
  return s
end

-- Text of any value; a __tostring of the user's may raise or lie.
local function text(value)
  local ok, s = pcall(tostring, value)
  return ok and type(s) == "string" and s
    or "(a " .. type(value) .. " that cannot be shown)"
end

--- Text that is safe on a terminal: control bytes, C1 controls, bytes that are
-- no UTF-8, and marks that turn the direction of writing come out as `\xNN`.
---@param value any
---@return string
function M.escape(value)
  local s = text(value):gsub("[%z\1-\31\127]", hex)
  if s:find("[\128-\255]") then
    s = escape_wide(s)
  end
  return s
end

-- The last byte of what may stay: no UTF-8 sequence is split.
local function last_kept(s, most)
  for last = most, most - 2, -1 do
    if not s:find("^[\128-\191]", last + 1) then
      return last
    end
  end
  return most - 3
end

--- Text of at most `most` bytes; a mark says how many more there were.
---@param s string
---@param most integer
---@return string
function M.cut(s, most)
  if #s <= most then
    return s
  end
  local last = last_kept(s, most)
  return ("%s... (%d bytes more)"):format(s:sub(1, last), #s - last)
end

-- Escaping makes up to four bytes of one.
local function capped(value, most)
  local s = text(value)
  local escaped = M.escape(M.cut(s, most))
  if #escaped > most + MARK then
    escaped = M.escape(M.cut(s, math.floor(most / 4)))
  end
  return escaped
end

local function replacement()
  return "\239\191\189"
end

--- Text with U+FFFD for each byte that is no UTF-8.
---@param s string
---@return string
function M.utf8(s)
  return well_formed(s, replacement)
end

local function silent() end

--- The logger that everything inside uses: never raises, whatever the user's
-- does, and does nothing where there is none.
---@param logger fun(level: string, message: string, fields: table?)|nil
---@return fun(level: string, message: string, fields: table?)
function M.wrap(logger)
  if logger == nil then
    return silent
  end
  return function(level, message, fields)
    pcall(logger, level, message, fields)
  end
end

-- The backslashes before a quote, the last of which is ours.
local function doubled(backslashes)
  return backslashes .. backslashes:sub(2) .. '"'
end

-- A value of logfmt: quoted where it holds a space, a quote or an equals sign.
-- No backslash of its own may take one away from a quote. Each run of them is
-- looked at once, at its beginning.
local function logfmt_value(value, most)
  local s = capped(value, most)
  if s == "" or s:find('[ "=]') then
    s = s:gsub('"', '\\"'):gsub('%f[\\](\\+)"', doubled)
      :gsub("%f[\\]\\+$", "%0%0")
    s = '"' .. s .. '"'
  end
  return s
end

local function logfmt_pair(name, value, most)
  return name .. "=" .. logfmt_value(value, most)
end

-- Adds the fields that fit into the line, and how many did not.
local function add_pairs(out, fields, pair, limits)
  local room, omitted = limits.line - MARK, 0
  for _, piece in ipairs(out) do
    room = room - #piece - 1
  end
  for _, field in ipairs(fields) do
    local piece = pair(field[1], field[2], limits.value)
    if #piece < room then
      out[#out + 1] = piece
      room = room - #piece - 1
    else
      omitted = omitted + 1
    end
  end
  if omitted > 0 then
    out[#out + 1] = pair("fields_cut", omitted, limits.value)
  end
  return out
end

local function logfmt(time, level, message, fields)
  return table.concat(add_pairs({ "time=" .. time,
    logfmt_pair("level", level, MOST_OF_A_NAME),
    logfmt_pair("message", message, LIMITS.value) }, fields, logfmt_pair,
    LIMITS), " ")
end

local function json_value(value, most)
  if type(value) == "boolean" then
    return tostring(value)
  end
  local digits = type(value) == "number" and ascii.digits(value)
  if digits then
    return digits
  end
  return '"' .. capped(value, most):gsub('[\\"]', "\\%0") .. '"'
end

local function json_pair(name, value, most)
  return json_value(name, most) .. ":" .. json_value(value, most)
end

local function json(time, level, message, fields)
  local out = add_pairs({ json_pair("time", time, MOST_OF_A_NAME),
    json_pair("level", level, MOST_OF_A_NAME),
    json_pair("message", message, LIMITS.value) }, fields, json_pair, LIMITS)
  return "{" .. table.concat(out, ",") .. "}"
end

local FORMATS = { logfmt = logfmt, json = json }

local OURS = { time = true, level = true, message = true, fields_cut = true }

-- A name reduced to what needs no quotes, and kept apart from the line's own.
local function field_name(name)
  name = M.cut(text(name), MOST_OF_A_NAME):gsub("[^%w_.-]", "_")
  return OURS[name] and name .. "_" or name
end

-- Fields in the order of their names.
local function sorted(fields)
  local list = {}
  for name, value in pairs(fields or {}) do
    list[#list + 1] = { field_name(name), value }
  end
  table.sort(list, function(a, b)
    return a[1] < b[1]
  end)
  return list
end

--- A message and its fields as one line, for a log that adds time and level.
---@param message string
---@param fields table?
---@param limits table? most bytes of a `value` and of the `line`
---@return string
function M.line(message, fields, limits)
  limits = limits or LIMITS
  return table.concat(add_pairs({ capped(message, limits.value) },
    sorted(fields), logfmt_pair, limits), " ")
end

local SPEC = {
  level = { type = "string", default = "info",
    one_of = { "debug", "info", "warn", "error" } },
  format = { type = "string", default = "logfmt",
    one_of = { "logfmt", "json" } },
  output = { type = "any" },
}

--- A logger that writes one line per message.
--
-- Lines that cannot be written (a full disk, a closed pipe) are dropped and
-- counted; the next line that can be is preceded by their number. A value has
-- at most 4096 bytes and a line 16384: what is cut is marked.
---@param given table? `level` least level written ("info"); `format` "logfmt"
-- or "json"; `output` what has a `write` method (io.stderr)
---@return fun(level: string, message: string, fields: table?)
function M.stderr(given)
  local o = options.check("flexhooks.log.stderr", SPEC, given)
  local output, format = o.output or io.stderr, FORMATS[o.format]
  local least, dropped = RANK[o.level], 0
  local function write(line)
    local ok, written = pcall(output.write, output, line .. "\n")
    return ok and written
  end
  return function(level, message, fields)
    if (RANK[level] or RANK.error) < least then
      return
    end
    local time = os.date("!%Y-%m-%dT%H:%M:%SZ")
    if dropped > 0 and write(format(time, "warn", "log lines were dropped",
        { { "count", dropped } })) then
      dropped = 0
    end
    if not write(format(time, level, message, sorted(fields))) then
      dropped = dropped + 1
    end
  end
end

--- The fields of an error that are fit for a log.
---@param err any
---@return table
function M.fields(err)
  if not errors.is(err) then
    return { error = tostring(err) }
  end
  local fields = { error = err.message }
  for _, name in ipairs { "kind", "reason", "status", "code", "request_id",
    "attempts" } do
    fields[name] = err[name]
  end
  return fields
end

return M
