--- Checks of what a request carries; each throws the service's error.
-- @module flexhooks.simulator.fields

local api_error = require "flexhooks.simulator.api_error"
local json = require "flexhooks.json"

local M = {}

--- The value of the first of the names that was sent; an error without one.
---@param form flexhooks.simulator.Form
---@return string
function M.required(form, ...)
  local value = form:get(...)
  if value == nil or value == "" then
    api_error.bad("Missing required parameter " .. (...)
      .. " in the post body")
  end
  return value
end

--- `value`, where it is nil or one of `allowed`.
---@param name string
---@param value string?
---@param allowed string[]
function M.one_of(name, value, allowed)
  for _, candidate in ipairs(allowed) do
    if value == candidate then
      return value
    end
  end
  if value ~= nil then
    api_error.bad(name .. " must be one of " .. table.concat(allowed, ", "))
  end
end

--- `value`, where it is nil or a SID with this prefix.
function M.sid(name, value, prefix)
  if value ~= nil and not M.is_sid(value, prefix) then
    api_error.bad(name .. " must be " .. prefix
      .. " and 32 hexadecimal digits")
  end
  return value
end

---@return boolean
function M.is_sid(value, prefix)
  return type(value) == "string" and #value == 34
    and value:match("^" .. prefix .. "%x+$") ~= nil
end

--- The JSON object in `text`, or nil where there is no text.
---@return table?
function M.object(name, text)
  if text == nil then
    return nil
  end
  local value = json.decode(text)
  if type(value) ~= "table" or not text:match("^%s*{") then
    api_error.bad(name .. " must be a JSON object")
  end
  return value
end

--- `value`, where it is nil or an absolute http(s) URL.
function M.url(name, value)
  if value == nil then
    return nil
  end
  local host = value:match("^[hH][tT][tT][pP][sS]?://([^/?#]+)")
  if not host or #value > 2048 or value:find("[%c%s]") then
    api_error.bad(name .. " must be an absolute http or https URL")
  end
  return value
end

return M
