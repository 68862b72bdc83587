--- The URL of a Redis queue, taken apart: nothing in it is guessed at, and no
-- message shows what may be part of a password.
-- @module flexhooks.queue.redis.url

local core = require "flexhooks.core"
local options = require "flexhooks.util.options"

local M = {}

M.FORM = "redis://[[user]:password@]host[:port][/db]"
  .. "[?partitions=64&prefix=flexhooks]"

local PORT = 6379
local LARGEST_DB = 2 ^ 31 - 1

-- What stands behind %; nil where that is no escape.
local function unescape(text)
  if text:gsub("%%%x%x", ""):find("%", 1, true) then
    return nil
  end
  return (text:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

local function is_ipv6(name)
  local _, colons = name:gsub(":", "")
  return colons >= 2 and name:find "^[%x:.]+$" ~= nil
end

local function read_port(text)
  local port = text:find "^%d+$" and #text <= 5 and tonumber(text)
  if port and port >= 1 and port <= 65535 then
    return port
  end
  return nil, "the port must be a number from 1 to 65535"
end

-- "name", "name:port", "[::1]:port".
local function read_address(text)
  local name, rest = text:match "^%[([^%]]*)%](.*)$"
  if name and not is_ipv6(name) then
    return nil, "what stands in brackets is no IPv6 address"
  elseif not name then
    name, rest = text:match "^([^:]*)(.*)$"
    if is_ipv6(text) then
      return nil, "an IPv6 address stands in brackets: redis://[::1]:6379"
    elseif not name:find "^[%w._-]*$" then
      return nil, "the host cannot be read"
    end
  end
  local address = { host = name ~= "" and name or "127.0.0.1", port = PORT }
  if rest ~= "" then
    local port, wrong = read_port(rest:match "^:(.*)$" or "")
    if not port then
      return nil, wrong
    end
    address.port = port
  end
  return address
end

-- "user:password"; the password becomes a secret.
local function read_user(text, address)
  local user, password = text:match "^([^:]*):?(.*)$"
  user, password = unescape(user), unescape(password)
  if not user or not password then
    return "a '%' in the user or the password is written %25"
  elseif password == "" and user ~= "" then
    return "there is a user and no password"
  end
  if password ~= "" then
    address.user = user ~= "" and user or nil
    address.password = core.secret(password)
  end
end

local function read_db(path)
  local digits = path:match "^/?(%d*)$"
  local db = digits and tonumber(digits ~= "" and digits or "0")
  if db and db <= LARGEST_DB then
    return db
  end
  return nil, "the database must be a number, as in redis://host/0"
end

-- A number where one is wanted; anything else is for the check to refuse.
local function value_of(text, rule)
  local wanted = rule.type == "number" or rule.type == "integer"
  return wanted and text:find "^%d+%.?%d*$" and tonumber(text) or text
end

local function read_settings(query, spec)
  local settings = {}
  for pair in query:gmatch "[^&]+" do
    local name, text = pair:match "^([^=]+)=(.*)$"
    local rule = name and spec[name]
    if not rule or rule.type == "function" then
      return nil, "unknown setting '" .. (name or pair) .. "'"
        .. options.suggestion(name or pair, spec)
    elseif settings[name] ~= nil then
      return nil, "the setting '" .. name .. "' is there twice"
    end
    text = unescape(text)
    if not text then
      return nil, "a '%' in the setting '" .. name .. "' is written %25"
    end
    settings[name] = value_of(text, rule)
  end
  return settings
end

--- Takes a URL apart.
---@param rest string what stands behind "redis:"
---@param spec table<string, table> the settings there are, for `options`
---@return table|nil address host, port, db, user, password (a secret)
---@return table|string settings, or what is wrong
function M.read(rest, spec)
  local authority, path, query = rest:match "^//([^/?#]*)([^?#]*)%??(.*)$"
  if not authority then
    return nil, "there is no host"
  elseif path:find("@", 1, true) or query:find("@", 1, true)
    or rest:find("#", 1, true) then
    return nil, "the characters / ? # in a user or a password are written "
      .. "%2F %3F %23"
  end
  local user, host = authority:match "^(.*)@([^@]*)$"
  local address, wrong = read_address(host or authority)
  if not address then
    return nil, wrong
  end
  wrong = user and read_user(user, address)
  if wrong then
    return nil, wrong
  end
  address.db, wrong = read_db(path)
  if not address.db then
    return nil, wrong
  end
  local settings
  settings, wrong = read_settings(query, spec)
  if not settings then
    return nil, wrong
  end
  return address, settings
end

return M
