--- Failures of handlers, one by one and together.
--
-- A handler may raise or return anything: a string, an error object, a table
-- of its own, nil. Each becomes an error object with `message`, `traceback`
-- and `cause`, the value itself; the value is never changed.
-- @module flexhooks.router.handler_error

local errors = require "flexhooks.error"

local M = {}

-- Text of any value; a __tostring of the user's may raise or lie.
local function text(value)
  if type(value) == "table" and type(rawget(value, "message")) == "string"
    and not errors.is(value) then
    return value.message
  end
  local ok, s = pcall(tostring, value)
  if ok and type(s) == "string" then
    return s
  end
  return "(a " .. type(value) .. " that cannot be shown)"
end

local function wish(value)
  if type(value) == "number" and value >= 0 and value < math.huge then
    return value
  end
end

local function failure_of(value, traceback)
  local failure
  if errors.is(value) then
    failure = errors.new("handler", text(value.message), value)
    failure.kind = text(value.kind)
  elseif type(value) == "table" then
    failure = errors.new("handler", text(value), {
      retry = rawget(value, "retry"),
      retry_after = rawget(value, "retry_after"),
    })
  else
    failure = errors.new("handler", text(value))
  end
  failure.traceback = traceback
  failure.cause = value
  return failure
end

--- A message handler for xpcall: the failure that a raised value is.
---@param value any
---@return flexhooks.Error
function M.raised(value)
  return failure_of(value, debug.traceback(text(value), 2))
end

--- The failure that a returned error is. It has no stack of its own any more:
-- its traceback says where the function stands, after what the error brought
-- along.
---@param err any
---@param f function the handler that returned it
---@return flexhooks.Error
function M.returned(err, f)
  local info = debug.getinfo(f, "S")
  local traceback = type(err) == "table" and rawget(err, "traceback")
  local came = type(traceback) == "string" and traceback or text(err)
  return failure_of(err, ("%s\n\treturned by the handler at %s:%d")
    :format(came, info.short_src, info.linedefined))
end

local function summary(list)
  if #list == 1 then
    return "a handler failed: " .. list[1].message
  end
  return #list .. " handlers failed, the first: " .. list[1].message
end

--- Adds a failure to those of its event.
---@param failed flexhooks.Error? nil before the first
---@param failure flexhooks.Error
---@return flexhooks.Error failed
function M.add(failed, failure)
  if not failed then
    failed = errors.new("handler", "", { errors = {} })
    failed.retry = failure.retry
  end
  local list = failed.errors
  list[#list + 1] = failure
  failed.message = summary(list)
  -- One failure that may pass with time is reason enough for another attempt.
  if failed.retry ~= false or failure.retry ~= false then
    failed.retry = nil
  end
  local after = wish(failure.retry_after)
  if after and after > (failed.retry_after or -1) then
    failed.retry_after = after
  end
  return failed
end

--- Is `err` something that `failed` holds already, or `failed` itself?
---@param failed flexhooks.Error?
---@param err any
---@return boolean
function M.has(failed, err)
  if not failed or rawequal(failed, err) then
    return failed ~= nil
  end
  for _, failure in ipairs(failed.errors) do
    if rawequal(failure, err) or rawequal(failure.cause, err) then
      return true
    end
  end
  return false
end

--- The failure of an event whose deadline cut a call, though no handler said
-- so.
---@return flexhooks.Error
function M.cut()
  local message = "the deadline cut a call"
  return errors.new("timeout", message, { traceback = message })
end

return M
