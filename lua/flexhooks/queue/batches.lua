--- Steps of one kind that a turn of the loop brings, sent as one call.
--
-- A call of a script costs more than what it does for one event, so what comes
-- together goes together. Where there is no turn (in nginx) each goes alone.
-- @module flexhooks.queue.batches

local errors = require "flexhooks.error"
local host = require "flexhooks.host"

local M = {}

local Batches = { __name = "flexhooks.queue.batches" }
Batches.__index = Batches

local MOST_ARGUMENTS = 5000
local MOST_BYTES = 1048576

--- Batches that end in `call`.
---@param call function(name, args) returns a list with the answer to each
-- step, or nil and an error; may wait
function M.new(call)
  return setmetatable({ call = call, open = {} }, Batches)
end

local function new_batch(name, head)
  local args = {}
  for i, value in ipairs(head) do
    args[i] = value
  end
  return { name = name, args = args, steps = {}, bytes = 0, answers = 0 }
end

local function append(batch, args, answers)
  local all = batch.args
  for i = 1, #args do
    local value = args[i]
    all[#all + 1] = value
    batch.bytes = batch.bytes + (type(value) == "string" and #value or 8)
  end
  local step = { first = batch.answers + 1, count = answers }
  batch.answers = batch.answers + answers
  batch.steps[#batch.steps + 1] = step
  return step
end

local function answers_of(step, reply)
  local mine = {}
  for i = 1, step.count do
    mine[i] = reply[step.first + i - 1]
  end
  return mine
end

-- In a task of its own: nobody's end may keep the others from their answers.
local function send(self, batch)
  local sent, reply, err = pcall(self.call, batch.name, batch.args)
  if not sent then
    reply, err = nil, errors.new("queue", tostring(reply))
  end
  for _, step in ipairs(batch.steps) do
    step.event:set(reply and answers_of(step, reply), err)
  end
end

local function close(self, key)
  local batch = self.open[key]
  if batch then
    self.open[key] = nil
    host.spawn(send, self, batch)
  end
end

local function open(self, key, name, head)
  local batch = self.open[key]
  if batch and (#batch.args > MOST_ARGUMENTS or batch.bytes > MOST_BYTES) then
    close(self, key)
    batch = nil
  end
  if not batch then
    batch = new_batch(name, head)
    self.open[key] = batch
    host.at_turn_end(function()
      if self.open[key] == batch then
        close(self, key)
      end
    end)
  end
  return batch
end

--- Sends a step and waits for its answers.
---@param name string the script's
---@param head table arguments that the steps of a call share
---@param args table of this step
---@param answers integer how many it gets
---@return table|nil answers
---@return flexhooks.Error? err
function Batches:send(name, head, args, answers)
  if not host.at_turn_end then
    local batch = new_batch(name, head)
    append(batch, args, answers)
    return self.call(name, batch.args)
  end
  local key = name .. " " .. table.concat(head, " ")
  local step = append(open(self, key, name, head), args, answers)
  step.event = host.event()
  return step.event:wait()
end

return M
