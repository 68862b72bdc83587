--- Whether a request that failed is sent again, and after how long.
--
-- 429 was never processed and always may be repeated; so may what was never
-- sent. A lost answer and a 5xx leave open what happened: only requests that
-- mean the same when repeated (GET, DELETE) are.
-- @module flexhooks.client.retry

local core = require "flexhooks.core"

local M = {}

-- Seconds: nobody waits longer between two attempts.
M.CAP = 60
local BASE = 0.5

local REPEATABLE = { GET = true, HEAD = true, DELETE = true }
local LOST = { timeout = true, reset = true, protocol = true }
local UNSENT = { dns = true, connect = true, tls = true }

--- May `method` be repeated when its first outcome is not known?
---@return boolean
function M.repeatable(method)
  return REPEATABLE[method] == true
end

--- Did a transport's failure leave the request unsent? Transports say so in
-- `err.sent`; where they do not, the kind tells.
---@param err flexhooks.Error
---@return boolean
function M.unsent(err)
  if err.sent ~= nil then
    return not err.sent
  end
  return UNSENT[err.kind] == true
end

-- From the system's randomness: processes started together must not agree.
local function random()
  local a, b, c = core.random(3):byte(1, 3)
  return (a * 65536 + b * 256 + c) / 16777216
end

--- Exponential backoff with full jitter.
---@param attempt integer attempts made so far
---@return number seconds
function M.backoff(attempt)
  return random() * math.min(M.CAP, BASE * 2 ^ (attempt - 1))
end

--- May this failure be followed by another attempt?
---@param err flexhooks.Error of an answer (with `status`) or of the transport
---@param repeatable boolean
---@return boolean
function M.may_repeat(err, repeatable)
  if err.status then
    return err.status == 429
      or repeatable and err.status >= 500 and err.status < 600
  end
  return M.unsent(err) and (LOST[err.kind] or UNSENT[err.kind]) == true
    or repeatable and LOST[err.kind] == true
end

--- Seconds until the next attempt, or nil where waiting is not worth it: the
-- server asks for more than a minute, or the deadline comes first.
---@param err flexhooks.Error
---@param attempt integer attempts made so far
---@param remaining number? seconds to the caller's deadline
---@return number?
function M.wait(err, attempt, remaining)
  local seconds = err.retry_after or M.backoff(attempt)
  if seconds > M.CAP or remaining and seconds >= remaining then
    return nil
  end
  return seconds
end

return M
