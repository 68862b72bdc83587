--- Runs server-side scripts over any way to Redis that has `command`.
-- @module flexhooks.queue.redis.command

local shapes = require "flexhooks.queue.redis.shapes"

local M = {}

--- The command that runs a script, without its arguments.
---@param verb "EVALSHA"|"EVAL"
---@param body string hash or text
---@param keys string[]
---@return string[]
function M.command(verb, body, keys)
  local command = { verb, body, tostring(#keys) }
  for _, key in ipairs(keys) do
    command[#command + 1] = key
  end
  return command
end

local function run(io, verb, body, keys, args, shape)
  return io:command(M.command(verb, body, keys), shape, nil, args)
end

--- Runs a script, by its hash where Redis knows it already.
---@param io table `command`, and `shas`: the hashes it has learnt
---@param script string
---@param keys string[]
---@param args string[]
---@param shape function? of the reply, see `redis_shapes`
---@return any value nil of Redis is false
---@return flexhooks.Error? err
function M.call(io, script, keys, args, shape)
  local sha = io.shas[script]
  if not sha then
    local err
    sha, err = io:command({ "SCRIPT", "LOAD", script }, shapes.script_hash)
    if not sha then
      return nil, err
    end
    io.shas[script] = sha
  end
  local value, err = run(io, "EVALSHA", sha, keys, args, shape)
  if value == nil and err.reason == "noscript" then
    return run(io, "EVAL", script, keys, args, shape)
  end
  return value, err
end

return M
