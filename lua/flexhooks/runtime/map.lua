--- Work on a list, some items at a time: the same under every host.
-- @module flexhooks.runtime.map

local errors = require "flexhooks.error"

local M = {}

-- What a call raised, so that it is raised again as it was.
local Fault = { __name = "flexhooks.map.fault" }

local function fault_of(value)
  return setmetatable({ value = value }, Fault)
end

-- Without memory there is a fault as well.
local NO_MEMORY = fault_of "not enough memory"

local function work_off(job)
  while not job.fault and job.at < job.n do
    job.at = job.at + 1
    local i = job.at
    local ok, value, err = xpcall(job.f, fault_of, job.list[i], i)
    if not ok then
      job.fault = job.fault or getmetatable(value) == Fault and value
        or NO_MEMORY
    elseif value == nil and err ~= nil then
      job.errors = job.errors or {}
      job.errors[i] = err
    else
      job.results[i] = value
    end
  end
end

local function work(job)
  if not pcall(work_off, job) then
    job.fault = job.fault or NO_MEMORY
  end
  for _, task in ipairs(job.fault and job.tasks or {}) do
    task:cancel()
  end
  return true
end

-- How many items; nil where a hole is among them, behind which each Lua would
-- see what it likes.
local function length(list)
  local n = 0
  for _ in ipairs(list) do
    n = n + 1
  end
  for key in pairs(list) do
    if type(key) == "number" and key > n then
      return nil
    end
  end
  return n
end

local function check(list, n, f)
  if type(list) ~= "table" then
    errors.raise(3, "flexhooks.map: list must be a table, got " .. type(list))
  elseif type(n) ~= "number" or n < 1 or n ~= n then
    errors.raise(3, "flexhooks.map: n must be a number from 1 on")
  elseif type(f) ~= "function" then
    errors.raise(3, "flexhooks.map: f must be a function, got " .. type(f))
  end
  return length(list)
    or errors.raise(3, "flexhooks.map: list must be a list without holes")
end

local function start(host, job, count)
  for i = 1, count do
    job.tasks[i] = host.spawn(work, job)
  end
end

local function abandon(job)
  job.at = job.n -- nothing begins any more
  for _, task in ipairs(job.tasks) do
    task:cancel()
  end
end

-- Waits until all tasks have ended, however they did: one may have failed for
-- want of memory before it came to its work.
local function await(job)
  for _, task in ipairs(job.tasks) do
    local ok, err = task:wait()
    if not ok and err.kind == "handler" then
      job.fault = job.fault or NO_MEMORY
    elseif not ok then
      return nil, err
    end
  end
  return true
end

local function run(host, job, count)
  local started, raised = pcall(start, host, job, count)
  if not started then
    abandon(job)
    error(raised, 0)
  end
  local ok, err = await(job)
  if not ok then
    abandon(job)
    return nil, err
  end
  if job.fault then
    error(job.fault.value, 0)
  end
  return job.results, job.errors
end

--- Makes the `map` of a host.
---@param host { spawn: function } starts a task under the deadline of its
--- caller
---@return fun(list: table, n: integer, f: function): table?, table?
function M.over(host)
  --- Calls `f(item, i)` for each item of `list`, at most `n` at a time.
  -- If one raises, the others are cancelled and the error is raised again.
  -- Returns the first results of `f` in the order of `list`, and an error for
  -- each item whose `f` returned nil, err; or nil and an error where the wait
  -- itself was cut.
  return function(list, n, f)
    local job = { list = list, f = f, n = check(list, n, f), at = 0,
      results = {}, tasks = {} }
    return run(host, job, math.floor(math.min(n, job.n)))
  end
end

return M
