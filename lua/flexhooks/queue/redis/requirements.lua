--- Can a Redis server hold a queue? What it is and how it is set decide.
-- @module flexhooks.queue.redis.requirements

local shapes = require "flexhooks.queue.redis.shapes"

local M = {}

local function setting(io, name)
  local reply, err = io:command({ "CONFIG", "GET", name }, shapes.setting)
  return reply and reply[2], err
end

-- Redis may not let this user ask, or not have the command any more.
local function untold(name, err)
  if err and err.reason ~= "noperm" and err.reason ~= "error" then
    return err
  end
  return "does not tell its " .. name .. "; CONFIG GET must be allowed"
end

local function older(version, major, minor)
  local a, b = version:match "^(%d+)%.(%d+)"
  a, b = tonumber(a) or 0, tonumber(b) or 0
  return a < major or a == major and b < minor
end

local function wrong_kind(info)
  local version = info:match "redis_version:(%S+)" or "0"
  if older(version, 6, 2) then
    return "is version " .. version .. "; 6.2 or newer is needed"
  elseif info:find("cluster_enabled:1", 1, true) then
    return "is a cluster: all keys of a queue lie on one node, so a cluster "
      .. "adds failure modes and no room; use a single Redis for the queue"
  end
end

--- What is wrong with a server for a queue, or nil.
---@param io table a way to it, with `command`
---@param appendfsync "always"|"everysec"|"any" what is wanted; "any": no
-- append-only file either
---@return string|flexhooks.Error|nil wrong goes on after "the server"; an
-- error where it cannot be asked
function M.wrong(io, appendfsync)
  local info, err = io:command({ "INFO" }, shapes.text)
  if not info then
    return err
  end
  local wrong = wrong_kind(info)
  if wrong then
    return wrong
  end
  local wanted = { { "maxmemory-policy", "noeviction" } }
  if appendfsync ~= "any" then
    wanted[2] = { "appendonly", "yes" }
    wanted[3] = { "appendfsync", appendfsync, "always" }
  end
  for _, pair in ipairs(wanted) do
    local value, unasked = setting(io, pair[1])
    if not value then
      return untold(pair[1], unasked)
    elseif value ~= pair[2] and value ~= pair[3] then
      return "has " .. pair[1] .. " = " .. tostring(value)
        .. "; the queue needs " .. pair[2]
        .. " (see docs/delivery.md; appendfsync=everysec or any accepts the "
        .. "loss of what was acknowledged last)"
    end
  end
end

return M
