--- Steps of one kind that a turn of the loop brings, sent as one call.
--
-- A call of a script costs more than what it does for one event, so what comes
-- together goes together, within bounds: nobody else is served while a script
-- runs. Where there is no turn (in nginx) each goes alone.
-- @module flexhooks.queue.batches

local errors = require "flexhooks.error"
local host = require "flexhooks.host"

local M = {}

local Batches = { __name = "flexhooks.queue.batches" }
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

local function new_batch(name, head)
  local args = {}
  for i, value in ipairs(head) do
    args[i] = value
  end
  return { name = name, args = args, bytes = 0, answers = 0, steps = {},
    sizes = {}, sent = false, reply = nil, err = nil }
end

local function answered(batch, reply, err)
  batch.reply, batch.err = reply, err
  local first = 1
  for i, step in ipairs(batch.steps) do
    batch.told(step, reply, reply == nil and err or first)
    first = first + batch.sizes[i]
  end
  if batch.sent then
    batch.sent:set()
  end
end

local function call(self, batch)
  local called, reply, err = pcall(self.call, batch.name, batch.args,
    batch.answers)
  if not called then
    reply, err = nil, errors.new("queue", tostring(reply))
  end
  answered(batch, reply, err)
end

-- A task of its own waits for it: nobody's end may keep the others from their
-- answers.
local function call_apart(self, batch)
  host.spawn(call, self, batch)
end

-- What the server has forgotten since then, it is told again by `call`.
local FORGOTTEN = { noscript = true, noqueue = true }

local function close(self, key, batch)
  if self.open[key] ~= batch then
    return
  end
  self.open[key] = nil
  local function take(reply, err)
    if reply == nil and FORGOTTEN[err.reason] then
      call_apart(self, batch)
    else
      answered(batch, reply, err)
    end
  end
  if not self.post(batch.name, batch.args, batch.answers, take) then
    call_apart(self, batch)
  end
end

local function open(self, key, name, head)
  local batch = new_batch(name, head)
  batch.sent = host.event()
  self.open[key] = batch
  host.at_turn_end(function()
    close(self, key, batch)
  end)
  return batch
end

--- The batch of this turn. The arguments of a step are to be appended to its
-- `args`, all or none, before `add` says that they are there.
---@param key string the same for steps that may go together
---@param name string the script's
---@param head table arguments that the steps of a call share
---@return table batch
function Batches:join(key, name, head)
  if not host.at_turn_end then
    return new_batch(name, head)
  end
  local batch = self.open[key]
  if batch and (#batch.args > MOST_ARGUMENTS or batch.bytes > MOST_BYTES) then
    close(self, key, batch)
    batch = nil
  end
  return batch or open(self, key, name, head)
end

--- Says that a step was appended whose owner is told.
---@param batch table
---@param bytes integer that it brought
---@param step table
---@param told fun(step, reply, first) called in the end, the same for all
-- steps of a batch, with the reply of the whole batch and the place of this
-- step's first answer in it, or with nil and an error
---@param answers integer how many answers are the step's
function Batches:add(batch, bytes, step, told, answers)
  local n = #batch.steps + 1
  batch.steps[n], batch.sizes[n], batch.told = step, answers, told
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
  local all, place, why = batch.args, batch.answers + 1, nil
  for i = 1, #args do
    all[#all + 1] = args[i]
    batch.bytes = batch.bytes + #args[i]
  end
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
