--- Error objects: what every failing call returns or raises.
--
-- An error is a table with `kind` and `message`, and where they apply
-- `status`, `code`, `more_info`, `details`, `request_id`, `method`, `url`,
-- `attempts`, `retry_after`, `reason` and `maybe_applied`. `tostring(err)` is
-- one line. No field holds a secret.
-- @module flexhooks.error

local M = {}

local KINDS = {}
for kind in ([[config argument dns connect tls timeout reset protocol too_large
  redirect auth not_found rate_limited http signature malformed handler queue
  listen cancelled closed unsupported]]):gmatch("%S+") do
  KINDS[kind] = true
end

---@class flexhooks.Error
---@field kind string
---@field message string
---@field status integer? HTTP status of the answer
---@field code integer? Twilio's error code
---@field more_info string? where Twilio explains the code
---@field details any
---@field request_id string? Twilio-Request-Id of the answer
---@field method string?
---@field url string? without userinfo and fragment
---@field attempts integer? requests sent
---@field retry_after number? seconds
---@field reason string?
---@field maybe_applied boolean? the request may have taken effect
local Error = { __name = "flexhooks.error" }
Error.__index = Error

local function hex(bytes)
  return (bytes:gsub(".", function(c)
    return string.format("\\x%02x", c:byte())
  end))
end

-- Unicode has control characters, and ends of lines, beyond ASCII's.
local function one_line(s)
  s = tostring(s):gsub("%c", hex)
  return (s:gsub("\194[\128-\159]", hex):gsub("\226\128[\168\169]", hex))
end

--- One line: the message, then status, code and request id in parentheses.
function Error:__tostring()
  local notes = {}
  for _, name in ipairs { "status", "code", "request_id" } do
    if self[name] then
      notes[#notes + 1] = name .. " " .. one_line(self[name])
    end
  end
  local tail = #notes > 0 and " (" .. table.concat(notes, ", ") .. ")" or ""
  return self.kind .. ": " .. one_line(self.message) .. tail
end

--- Makes an error object of `kind`.
---@param kind string one of the documented kinds
---@param message string one sentence that names what to do
---@param fields table? further fields, copied
---@return flexhooks.Error
function M.new(kind, message, fields)
  assert(KINDS[kind], "unknown error kind")
  local err = {}
  for k, v in pairs(fields or {}) do
    err[k] = v
  end
  err.kind, err.message = kind, message
  return setmetatable(err, Error)
end

--- Is `value` an error object?
---@return boolean
function M.is(value)
  return type(value) == "table" and getmetatable(value) == Error
end

--- Is `kind` one of the documented kinds?
---@param kind any
---@return boolean
function M.is_kind(kind)
  return KINDS[kind] == true
end

--- Raises a mistake of the programmer as an error object of kind `argument`.
-- The message begins with the position of the caller `level` levels up.
---@param level integer 1 is the function that calls `raise`
---@param message string names function, argument and fix
---@param kind string? `argument` where absent; `config` for a missing setting
---@param fields table? further fields, copied
function M.raise(level, message, kind, fields)
  local info = debug.getinfo(level + 1, "Sl")
  local where = ""
  if info and info.currentline > 0 then
    where = info.short_src .. ":" .. info.currentline .. ": "
  end
  error(M.new(kind or "argument", where .. message, fields), 0)
end

-- Where the library's own files are, as the first bytes of a chunk's source.
local OWN = debug.getinfo(1, "S").source:match "^(.*)error%.lua$"

--- Raises a mistake of the programmer where the library was entered, however
-- deep inside of it that shows.
---@param message string
function M.raise_outside(message)
  local level = 2
  local info = debug.getinfo(level, "S")
  while info and (info.what == "C" or OWN
    and info.source:sub(1, #OWN) == OWN) do
    level = level + 1
    info = debug.getinfo(level, "S")
  end
  M.raise(level, message)
end

return M
