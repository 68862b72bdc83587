--- Runs server-side scripts over any way to Redis that has `command`.
-- @module flexhooks.queue.redis_call

local M = {}

local function command_of(verb, body, keys, args)
  local command = { verb, body, tostring(#keys) }
  for _, list in ipairs { keys, args } do
    for _, value in ipairs(list) do
      command[#command + 1] = tostring(value)
    end
  end
  return command
end

--- Runs a script, by its hash where Redis knows it already.
---@param io table `command`, and `shas`: the hashes it has learnt
---@param script string
---@param keys string[]
---@param args any[]
---@return any value nil of Redis is false
---@return flexhooks.Error? err
function M.call(io, script, keys, args)
  local sha = io.shas[script]
  if not sha then
    local err
    sha, err = io:command { "SCRIPT", "LOAD", script }
    if not sha then
      return nil, err
    end
    io.shas[script] = sha
  end
  local value, err = io:command(command_of("EVALSHA", sha, keys, args))
  if value == nil and err.reason == "noscript" then
    return io:command(command_of("EVAL", script, keys, args))
  end
  return value, err
end

return M
