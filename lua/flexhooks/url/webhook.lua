--- A webhook's URL: its identity, its origin, and the form that may be shown.
--
-- Two URLs have one identity when RFC 3986 (section 6.2) calls them equal,
-- whatever user name, password and fragment they carry: a new password makes
-- no other webhook. Signatures do not use this module, because Twilio signs
-- the URL as it is registered.
-- @module flexhooks.url.webhook

local ascii = require "flexhooks.util.ascii"
local core = require "flexhooks.core"

local M = {}

local DEFAULT_PORTS = { http = "80", https = "443" }
local UNRESERVED = "^[A-Za-z0-9._~-]$"

-- Decodes escapes of unreserved characters, and spells the others with
-- capitals.
local function normalize_escapes(text)
  return (text:gsub("%%(%x%x)", function(digits)
    local character = string.char(tonumber(digits, 16))
    return character:find(UNRESERVED) and character
      or "%" .. ascii.upper(digits)
  end))
end

-- Removes the segments `.` and `..` of a path that begins with a slash.
local function resolve_dots(path)
  local kept = {}
  for segment in path:gmatch "/([^/]*)" do
    if segment == ".." then
      kept[#kept] = nil
    elseif segment ~= "." then
      kept[#kept + 1] = segment
    end
  end
  if path:find "/%.%.?$" then
    kept[#kept + 1] = ""
  end
  return "/" .. table.concat(kept, "/")
end

-- Returns the normalized scheme and authority, then path, query and fragment
-- as they are written; nil for a text that is not a URL.
local function split(text)
  local scheme, authority, path, query, fragment =
    text:match "^(%a[%w+.-]*)://([^/?#]*)([^?#]*)(%??[^#]*)(.*)$"
  if not scheme then
    return nil
  end
  scheme = ascii.lower(scheme)
  local place = ascii.lower(authority:match "[^@]*$")
  local host, port = place:match "^(.-):0*(%d*)$"
  if not host or port == "" or port == DEFAULT_PORTS[scheme] then
    port = nil
  end
  local origin = scheme .. "://" .. (host or place)
    .. (port and ":" .. port or "")
  return origin, path, query, fragment
end

--- Returns the scheme, host and port of a URL in one spelling, without the
-- default port. A text that is not a URL is returned as it is.
---@param text string
---@return string
function M.origin(text)
  return (split(text)) or text
end

--- Returns what tells a webhook's URL from others: origin, path and query in
-- one spelling. A text that is not a URL loses its fragment alone.
---@param text string
---@return string
function M.identity(text)
  local origin, path, query = split(text)
  if not origin then
    return text:match "^[^#]*"
  end
  return origin .. resolve_dots(normalize_escapes("/" .. path:sub(2)))
    .. normalize_escapes(query)
end

--- Returns the delivery overrides of a URL, with their `#`; "" for none.
---@param text string
---@return string
function M.overrides(text)
  local fragment = text:match "#.*$"
  return fragment ~= "#" and fragment or ""
end

local HIDDEN = "****"

-- Hides the password of `userinfo`, or all of it if it has no colon: a lone
-- user name may be a token.
local function hide_userinfo(userinfo)
  local user = userinfo:match "^([^:]*):"
  return (user and user .. ":" .. HIDDEN or HIDDEN) .. "@"
end

local function is_place(authority)
  return authority:find "^%[[%x:.]*%]:?%d*$" ~= nil
    or authority:find "^[%w._-]*:?%d*$" ~= nil
end

-- Hides, in a word, a password with a slash, a question mark or a number sign
-- in it: what stands before that sign cannot be a host. The pattern is
-- anchored because a hostile text could make every other one slow.
local function hide_broken(word)
  local scheme, authority, rest =
    word:match "^([^/]*//)([^/?#@]*:[^/?#@]*)([/?#].*)$"
  local place = rest and not is_place(authority) and rest:match "^.*(@.*)$"
  return place and scheme .. HIDDEN .. place
end

local USERINFO = "//([^/?#%s]*)@"
local WITHOUT_SCHEME = "(%s)([^/?#%s:]*:[^/?#%s]*)@(%f[%w%[][%w_-]*[.:/%[])"

--- Returns `text` as it may be shown: in a URL, or in a text with URLs in it,
-- `****` stands in the place of each password. A URL that is not valid, and
-- one without its scheme, hide theirs too.
---@param text string
---@return string
function M.shown(text)
  if not text:find("@", 1, true) then
    return text
  end
  text = text:gsub(USERINFO, function(userinfo)
    return "//" .. hide_userinfo(userinfo)
  end)
  text = text:gsub("%S+", hide_broken)
  text = (" " .. text):gsub(WITHOUT_SCHEME, function(space, userinfo, place)
    return space .. hide_userinfo(userinfo) .. place
  end)
  return text:sub(2)
end

local function userinfo_of(text)
  return text:match("^[^/?#]*" .. USERINFO)
end

--- Does `****` stand for the URL's password?
---@param text string
---@return boolean
function M.is_hidden(text)
  local userinfo = userinfo_of(text)
  return userinfo ~= nil
    and (userinfo:match ":(.*)$" or userinfo) == HIDDEN
end

--- Returns a URL whose password is hidden with the password of another URL.
---@param text string
---@param known string?
---@return string? url nil if `known` has another origin or user name
function M.revealed(text, known)
  local userinfo = known and userinfo_of(known)
  if userinfo and M.origin(known) == M.origin(text)
    and hide_userinfo(userinfo) == userinfo_of(text) .. "@" then
    local scheme, rest = text:match "^([^/?#]*//)[^/?#]*@(.*)$"
    return scheme .. userinfo .. "@" .. rest
  end
end

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

-- Returns an Authorization value, or nil if it cannot be one.
local function basic(user, password)
  local secret = core.secret(password)
  local header = secret and core.basic(user, secret)
  local value = header and header:reveal()
  for _, handle in ipairs { secret, header } do
    handle:close()
  end
  return value
end

--- Returns where a delivery to a URL is sent, and with which Authorization:
-- user name and password go into that header, and the fragment goes nowhere.
---@param text string
---@return string url
---@return string? authorization nil without a user name or a password
function M.target(text)
  local url = text:gsub("#.*$", "")
  local userinfo = userinfo_of(url)
  if not userinfo then
    return url
  end
  local user, password = userinfo:match "^([^:]*):(.*)$"
  url = url:gsub(USERINFO, "//", 1)
  return url, user and basic(unescape(user), unescape(password))
end

return M
