--- The head of an HTTP answer, read line by line and strictly: what tells
-- where the body ends must say so once, or the next answer on the connection
-- could begin anywhere. The rules are those of `src/http_response.c`.
-- @module flexhooks.runtime.nginx.response_head

local ascii = require "flexhooks.util.ascii"

local M = {}

-- Of all lines of an answer, informational heads before it included, of one
-- head's bytes, and of all heads' bytes.
local MAX_LINES, MAX_BYTES, MAX_ALL_BYTES = 400, 65536, 4 * 65536

local FRAMING = { ["content-length"] = true, ["transfer-encoding"] = true }

---@class flexhooks.nginx.Head
---@field status integer
---@field version string "1.0" or "1.1"
---@field headers table<string, string> names in lower case; the values of a
-- repeated one joined with ", "
---@field length string? the digits of the content length
---@field encoded boolean? there is a transfer encoding
local Head = { __name = "flexhooks.runtime.nginx.response_head" }
Head.__index = Head

local function begin(head)
  head.status, head.version, head.last = nil, nil, nil
  head.length, head.encoded, head.bytes = nil, nil, 0
  head.headers = {}
end

--- A head of which nothing is known yet.
---@return flexhooks.nginx.Head
function M.new()
  local head = setmetatable({ lines = 0, all_bytes = 0 }, Head)
  begin(head)
  return head
end

local function too_large()
  return nil, "too_large", "the answer is larger than allowed"
end

local function malformed(what)
  return nil, "protocol", "the answer's head " .. what
end

local function add_status(head, line)
  local version, status, rest = line:match "^HTTP/(1%.[01]) ([1-9]%d%d)(.*)$"
  if not version or not rest:find "^$" and rest:sub(1, 1) ~= " " then
    return malformed "does not begin with a status line of HTTP/1"
  end
  head.version, head.status = version, tonumber(status)
  return true
end

-- One length, said once or several times alike, or one encoding.
local function add_framing(head, name, value)
  if name == "transfer-encoding" then
    if head.encoded or ascii.lower(value) ~= "chunked" then
      return malformed "has a transfer encoding other than chunked"
    end
    head.encoded = true
  elseif name == "content-length" then
    if not value:find "^%d+$" or head.length and head.length ~= value then
      return malformed "has a wrong content length, or two"
    end
    head.length = value
  end
  if head.encoded and (head.length or head.version == "1.0") then
    return malformed "tells of two ways to find the body's end"
  end
  return true
end

local function append(head, name, value)
  local before = head.headers[name]
  head.headers[name] = before and before .. ", " .. value or value
  head.last = name
end

-- A line that begins with a blank continues the one before it.
local function continue(head, line)
  if not head.last or FRAMING[head.last] then
    return malformed "has a continuation where none may be"
  end
  local before, more = head.headers[head.last], ascii.trimmed(line)
  local gap = (before == "" or more == "") and "" or " "
  head.headers[head.last] = before .. gap .. more
  return true
end

local function add_header(head, line)
  if line:find "^[ \t]" then
    return continue(head, line)
  end
  local name, value = line:match(
    "^([A-Za-z0-9!#$%%&'*+%-.^_`|~]+):(.*)$")
  if not name then
    return malformed "has a line that is no header"
  end
  name, value = ascii.lower(name), ascii.trimmed(value)
  append(head, name, value)
  return add_framing(head, name, value)
end

--- Takes the next line, without the LF that ended it.
---@param line string
---@return boolean? whole whether this line ended the head
---@return string? kind of the error otherwise
---@return string? message
function Head:add(line)
  self.lines, self.bytes = self.lines + 1, self.bytes + #line
  self.all_bytes = self.all_bytes + #line
  line = line:gsub("\r$", "")
  if self.lines > MAX_LINES or self.bytes > MAX_BYTES
    or self.all_bytes > MAX_ALL_BYTES then
    return too_large()
  elseif line:find "[%z\r]" then
    return malformed "holds a NUL or a bare CR"
  elseif not self.status then
    local ok, kind, message = add_status(self, line)
    return ok and false, kind, message
  elseif line ~= "" then
    local ok, kind, message = add_header(self, line)
    return ok and false, kind, message
  end
  if self.status >= 200 then
    return true
  elseif self.status == 101 then
    return malformed "changes the protocol, which nobody asked for"
  end
  begin(self) -- an informational answer comes before the real one
  return false
end

--- What a head may have.
M.MAX_LINES, M.MAX_BYTES = MAX_LINES, MAX_BYTES

return M
