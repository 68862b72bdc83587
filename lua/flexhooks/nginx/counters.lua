--- Counters of all workers, for `flexhooks.metrics`.
--
-- A worker counts for itself and adds what it has to the shared dictionary
-- five times a second: each addition takes a lock that all workers share, and
-- an event makes five. A worker that is killed takes the last counts with it;
-- one that stops adds them first.
-- @module flexhooks.nginx.counters

local M = {}

-- Seconds between additions.
local INTERVAL = 0.2

---@class flexhooks.nginx.Counters
---@field values table<string, number> what this worker counted, and has not
--- added yet: the metrics count there
local Counters = { __name = "flexhooks.nginx.counters" }
Counters.__index = Counters

-- Counters share the dictionary with a great many claims, so their names are
-- kept in a list: the dictionary's own would stop all workers while it is
-- made.
local COUNT, NAME = "counters", "counter:"

local function add(dict, key, n)
  if dict:add(key, 0) then
    dict:set(NAME .. dict:incr(COUNT, 1, 0), key)
  end
  dict:incr(key, n, 0)
end

local function names(dict)
  local keys = {}
  for i = 1, dict:get(COUNT) or 0 do
    keys[#keys + 1] = dict:get(NAME .. i)
  end
  return keys
end

-- Reading the names keeps them among what a full dictionary does not give up.
local function flush(_, self)
  local values = self.values
  self.scheduled = false
  for key, n in pairs(values) do
    if n ~= 0 then
      add(self.dict, key, n)
      values[key] = 0
    end
  end
  return names(self.dict)
end

--- Sees to it that what was counted is added. A worker that is stopping starts
-- no timer: it adds at once.
function Counters:schedule()
  if not self.scheduled then
    self.scheduled = ngx.timer.at(INTERVAL, flush, self) or false
    if not self.scheduled then
      flush(nil, self)
    end
  end
end

--- The keys of all counters.
---@return string[]
function Counters:get_keys()
  return flush(nil, self)
end

--- What all workers have added, and this one has counted.
---@param key string
---@return number?
function Counters:get(key)
  return self.dict:get(key)
end

--- Makes the counters of a shared dictionary.
---@param dict table ngx.shared.NAME
---@return flexhooks.nginx.Counters
function M.new(dict)
  local self = { dict = dict, values = {}, scheduled = false }
  return setmetatable(self, Counters)
end

return M
