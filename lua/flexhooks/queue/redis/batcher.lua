--- Steps of one kind that a turn of the loop brings, sent as one call.
--
-- A call of a script costs more than what it does for one event, so what comes
-- together goes together, within bounds: nobody else is served while a script
-- runs. Where there is no turn (in nginx) each goes alone.
-- @module flexhooks.queue.redis.batcher

local errors = require "flexhooks.error"
local runtime = require "flexhooks.runtime.current"
local store_requests = require "flexhooks.queue.store_request"

local M = {}

local Batches = { __name = "flexhooks.queue.redis.batcher" }
Batches.__index = Batches

local MOST_ARGUMENTS = 1400 -- of 200 events: a script of two or three ms
local MOST_BYTES = 1048576

--- Batches that end in `post` where it can take them, else in `call`.
---@param call function(name, args, count) returns a list of that many answers,
-- or nil and an error; may wait
---@param post function(name, args, count, answered) calls answered(reply, err)
-- in the end; false where it would have to wait first
function M.new(call, post)
  return setmetatable({ call = call, post = post, open = {} }, Batches)
end

-- Its lists may be longer than what counts: a step that could not be appended
-- for want of memory has left something behind.
local function new_batch(name, head)
  local args, last = {}, 0
  for i, value in ipairs(head) do
    args[i], last = value, i
  end
  return { name = name, args = args, last = last, bytes = 0, answers = 0,
    steps = {}, sizes = {}, count = 0, told = false, sent = false,
    closed = false, over = false, reply = nil, err = nil }
end

local NO_MEMORY = errors.new("queue", "not enough memory")

-- A step that cannot take its answer has failed.
local function tell(batch, step, reply, first)
  local ok, raised = pcall(batch.told, step, reply, first)
  if not ok and reply ~= nil then
    ok, raised = pcall(batch.told, step, nil, NO_MEMORY)
  end
  if not ok then
    store_requests.report(raised)
  end
end

local function answered(batch, reply, err)
  if batch.over then
    return
  end
  batch.reply, batch.err, batch.over = reply, err, true
  local first = 1
  for i = 1, batch.count do
    tell(batch, batch.steps[i], reply, reply == nil and err or first)
    first = first + batch.sizes[i]
  end
  if batch.sent then
    batch.sent:set()
  end
end

local function failed(batch, raised)
  local made, err = pcall(errors.new, "queue", tostring(raised))
  answered(batch, nil, made and err or NO_MEMORY)
end

local function call(self, batch)
  local called, reply, err = pcall(self.call, batch.name, batch.args,
    batch.answers)
  if called then
    answered(batch, reply, err)
  else
    failed(batch, reply)
  end
end

-- A task of its own waits for it: nobody's end may keep the others from their
-- answers.
local function call_apart(self, batch)
  local ok, raised = pcall(runtime.spawn, call, self, batch)
  if not ok then
    failed(batch, raised)
  end
end

-- What the server has forgotten since then, it is told again by `call`.
local FORGOTTEN = { noscript = true, noqueue = true }

local function trim(args, last)
  for i = #args, last + 1, -1 do
    args[i] = nil
  end
end

local function post(self, batch)
  return self.post(batch.name, batch.args, batch.answers,
    function(reply, err)
      if reply == nil and FORGOTTEN[err.reason] then
        call_apart(self, batch)
      else
        answered(batch, reply, err)
      end
    end)
end

-- Sends a batch, once. Where it raises for want of memory, another call does.
local function close(self, key, batch)
  if self.open[key] == batch then
    self.open[key] = nil
  end
  if batch.closed or batch.answers == 0 then
    return
  end
  trim(batch.args, batch.last)
  local ok, posted = pcall(post, self, batch)
  batch.closed = true
  if not ok then
    failed(batch, posted)
  elseif not posted then
    call_apart(self, batch)
  end
end

local function open(self, key, name, head)
  local batch = new_batch(name, head)
  batch.sent = runtime.event()
  runtime.at_turn_end(function()
    close(self, key, batch)
  end)
  self.open[key] = batch
  return batch
end

--- The batch of this turn. The arguments of a step are to be written to its
-- `args`, behind its `last`, before `add` says that they are there.
---@param key string the same for steps that may go together
---@param name string the script's
---@param head table arguments that the steps of a call share
---@return table batch
function Batches:join(key, name, head)
  if not runtime.at_turn_end then
    return new_batch(name, head)
  end
  local batch = self.open[key]
  if batch and (batch.last > MOST_ARGUMENTS or batch.bytes > MOST_BYTES) then
    close(self, key, batch)
    batch = nil
  end
  return batch or open(self, key, name, head)
end

--- Says that a step was appended whose owner is told. Where this raises, it
-- was not.
---@param batch table
---@param last integer the place of its last argument
---@param bytes integer that it brought
---@param step table
---@param told fun(step, reply, first) called in the end, the same for all
-- steps of a batch, with the reply of the whole batch and the place of this
-- step's first answer in it, or with nil and an error
---@param answers integer how many answers are the step's
function Batches:add(batch, last, bytes, step, told, answers)
  local n = batch.count + 1
  batch.steps[n] = step
  batch.sizes[n] = answers
  batch.count, batch.last, batch.told = n, last, told
  batch.bytes, batch.answers = batch.bytes + bytes, batch.answers + answers
  if not batch.sent then
    call(self, batch)
  end
end

--- Sends a step and waits for its one answer.
---@param key string as for `join`
---@param name string
---@param head table
---@param args string[] of this step
---@return any answer
---@return flexhooks.Error? err
function Batches:send(key, name, head, args)
  local batch = self:join(key, name, head)
  local all, last, bytes = batch.args, batch.last, 0
  for i = 1, #args do
    all[last + i] = args[i]
    bytes = bytes + #args[i]
  end
  local place, why = batch.answers + 1, nil
  batch.last, batch.bytes = last + #args, batch.bytes + bytes
  batch.answers = place
  if batch.sent then
    why = select(2, batch.sent:wait())
  else
    call(self, batch)
  end
  if batch.reply == nil then
    return nil, batch.err or why
  end
  return batch.reply[place]
end

return M
