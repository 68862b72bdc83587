--- What goes wrong with a Redis queue, as errors, over whichever way to it.
-- @module flexhooks.queue.redis.errors

local ascii = require "flexhooks.util.ascii"
local errors = require "flexhooks.error"

local M = {}

local RETRY_AFTER = 5 -- seconds

-- First words of answers to who may not come in.
local REFUSED = { noauth = true, wrongpass = true, noperm = true }

-- What is so now and need not stay so: the server is down, or is coming up, or
-- takes no writes.
local PASSING = { connect = true, dns = true, timeout = true, reset = true,
  loading = true, busy = true, masterdown = true, oom = true, readonly = true,
  misconf = true, noreplicas = true }

--- May this pass by itself? What is set up wrongly does not.
---@param err flexhooks.Error
---@return boolean
function M.passes(err)
  return err.kind == "queue" and PASSING[err.reason] == true
end

--- Does this come from a server that is the master no more? Whoever has its
-- place is found under the same name, by a new connection alone.
---@param err flexhooks.Error
---@return boolean
function M.is_demoted(err)
  return err.reason == "readonly"
end

--- Something happened to the connection.
---@param name string the queue's, for the message
---@param message string
---@param reason string
---@return flexhooks.Error err of kind `queue`
function M.new(name, message, reason)
  return errors.new("queue", name .. ": " .. message,
    { reason = reason, retry_after = RETRY_AFTER })
end

--- Redis answered with what the command does not return, see `redis_shapes`.
---@param name string the queue's, for the message
---@return flexhooks.Error err `reason` is "protocol"
function M.of_shape(name)
  return M.new(name, "an answer that no Redis gives to this command; check "
    .. "what is between this process and Redis", "protocol")
end

--- Redis answered with an error, "OOM command not allowed …": its first word
-- says what is wrong.
---@param name string the queue's
---@param answer string without its "-"
---@return flexhooks.Error err `reason` is the first word in lower case
function M.of_answer(name, answer)
  local word = answer:match "^%u+"
  word = word and ascii.lower(word) or "error"
  -- It adds where in a script of ours that was.
  local said = answer:gsub(" script: %x+, on @user_script:%d+%.?$", "")
  local err = M.new(name, "Redis answered: " .. said:sub(1, 200), word)
  if REFUSED[word] or answer:find "^ERR AUTH "
    or answer:find("invalid password", 1, true) then
    err.kind = "auth"
  end
  return err
end

return M
