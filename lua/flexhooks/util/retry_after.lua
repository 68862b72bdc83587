--- How long a server asks its clients to wait: the header Retry-After.
-- @module flexhooks.util.retry_after

local ascii = require "flexhooks.util.ascii"

local M = {}

local MONTHS = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7,
  Aug = 8, Sep = 9, Oct = 10, Nov = 11, Dec = 12 }

-- Days from 1970-01-01 to a date of the Gregorian calendar, counting years
-- from March so that a leap day is a year's last.
local function days(year, month, day)
  if month <= 2 then
    year, month = year - 1, month + 12
  end
  return 365 * year + math.floor(year / 4) - math.floor(year / 100)
    + math.floor(year / 400) + math.floor((153 * (month - 3) + 2) / 5)
    + day - 1 - 719468
end

local HTTP_DATE =
  "^%a%a%a, (%d%d) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$"

--- The time that an HTTP date tells, as in a Date header.
---@param text string
---@return number? seconds Unix time; nil where it is none
function M.date(text)
  local day, month, year, hour, minute, second = text:match(HTTP_DATE)
  month = MONTHS[month]
  if month then
    return days(tonumber(year), month, tonumber(day)) * 86400 + hour * 3600
      + minute * 60 + second
  end
end

--- What a Retry-After header asks for.
---@param value string? seconds, or an HTTP date
---@param now number Unix seconds
---@return number? seconds nil where the header is absent or unreadable
function M.seconds(value, now)
  if type(value) ~= "string" then
    return nil
  end
  value = ascii.trimmed(value)
  if value:find "^%d+$" or value:find "^%d+%.%d+$" then
    return tonumber(value)
  end
  local date = M.date(value)
  return date and math.max(0, date - now)
end

return M
