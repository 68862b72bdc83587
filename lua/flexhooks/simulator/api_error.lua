--- Errors of the simulated API, in the three shapes that the service uses.
-- @module flexhooks.simulator.api_error

local M = {}

---@class flexhooks.simulator.Fault
---@field status integer
---@field code integer
---@field message string
---@field retry_after integer? seconds
local Fault = { __name = "flexhooks.simulator.api_error" }

---@param status integer HTTP status
---@param code integer Twilio's
---@param message string
---@return flexhooks.simulator.Fault
function M.new(status, code, message)
  return setmetatable({ status = status, code = code, message = message },
    Fault)
end

--- Ends an operation with an error; the API's dispatcher catches it.
function M.throw(status, code, message)
  error(M.new(status, code, message), 0)
end

--- Is `value` an error that this module made?
---@return boolean
function M.is(value)
  return type(value) == "table" and getmetatable(value) == Fault
end

--- Throws that the path names nothing.
function M.not_found(path)
  M.throw(404, 20404,
    "The requested resource " .. path .. " was not found")
end

--- Throws that a parameter is missing or wrong.
function M.bad(message)
  M.throw(400, 20001, message)
end

local TITLES = { [400] = "Bad Request", [401] = "Unauthorized",
  [404] = "Not Found", [405] = "Method Not Allowed",
  [415] = "Unsupported Media Type", [429] = "Too Many Requests" }

local function info(fault)
  return "https://www.twilio.com/docs/errors/" .. fault.code
end

local SHAPES = {
  classic = function(fault)
    return { code = fault.code, message = fault.message,
      more_info = info(fault), status = fault.status }
  end,
  problem = function(fault, path)
    return { type = info(fault), title = TITLES[fault.status] or "Error",
      status = fault.status, code = fault.code, detail = fault.message,
      instance = path }, "application/problem+json"
  end,
  params = function(fault)
    return { code = fault.code, message = fault.message,
      httpStatusCode = fault.status, userError = fault.status < 500,
      params = { path = fault.message } }
  end,
}

--- Names of the shapes.
M.SHAPES = { "classic", "problem", "params" }

--- The body of a fault's answer.
---@param shape string one of `SHAPES`
---@param path string the request's path
---@return table body
---@return string content_type
function M.body(fault, shape, path)
  local body, content_type = SHAPES[shape](fault, path)
  return body, content_type or "application/json"
end

return M
