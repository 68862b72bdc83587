--- Items on their way into a queue, and who is told what became of them.
--
-- A submission is a table of its owner's: `items`, the `rule` of duplicates,
-- and `done`, called with the submission once its items are durable or could
-- not be stored. Each item then has its `verdict`, or the submission its
-- `err`. It may carry what `done` needs, so that a store takes no closure.
-- @module flexhooks.queue.store_request

local runtime = require "flexhooks.runtime.current"

local M = {}

--- Reports what was raised as the failure of a task for which nobody waits.
-- Never raises.
function M.report(raised)
  pcall(runtime.spawn, error, raised, 0)
end

--- Tells the owner. One that fails keeps no other from being told.
---@param submission table
function M.tell(submission)
  local ok, raised = pcall(submission.done, submission)
  if not ok then
    M.report(raised)
  end
end

local function wake(submission)
  submission.over = true
  if submission.event then
    submission.event:set()
  end
end

--- Submits items and waits for what becomes of them.
---@param queue table with `submit`
---@param items table[]
---@param rule table|nil
---@return true|nil ok
---@return ("stored"|"duplicate")[]|flexhooks.Error verdicts
function M.await(queue, items, rule)
  local submission = { items = items, rule = rule, done = wake, err = false,
    over = false, event = false }
  queue:submit(submission)
  if not submission.over then
    submission.event = runtime.event()
    local _, why = submission.event:wait()
    if not submission.over then
      return nil, why
    end
  end
  if submission.err then
    return nil, submission.err
  end
  local verdicts = {}
  for i = 1, #items do
    verdicts[i] = items[i].verdict
  end
  return true, verdicts
end

return M
