-- The command, run as a user would run it, on the Lua of this spec.
--
--   local status, out, err = command.run({ "verify", … }, { TWILIO_… = "…" })
--   local child = command.spawn({ "simulate", … }, env)
local process = require "spec.support.process"

local M = {}

local function words(arguments)
  local list = { process.top .. "/bin/flexhooks" }
  for _, word in ipairs(arguments) do
    list[#list + 1] = word
  end
  return list
end

--- The variables of a command in this spec.
function M.environment(env)
  local all = { LUA = process.lua }
  for name, value in pairs(env or {}) do
    all[name] = value
  end
  return all
end

local function options(env, more)
  local all = more or {}
  all.env = M.environment(env)
  return all
end

---@return integer status, string stdout, string stderr
function M.run(arguments, env, more)
  return process.run(words(arguments), options(env, more))
end

function M.spawn(arguments, env, more)
  return process.spawn(words(arguments), options(env, more))
end

return M
