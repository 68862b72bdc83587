--- Counters of all workers, for `flexhooks.metrics`.
--
-- A worker counts for itself and adds what it has to the shared dictionary
-- five times a second: each addition takes a lock that all workers share, and
-- an event makes five. A worker that is killed takes the last counts with it;
-- one that stops adds them first.
-- @module flexhooks.nginx.metrics_store

local later = require "flexhooks.runtime.nginx.later"
local shortage = require "flexhooks.runtime.nginx.shortage"

local M = {}

-- Seconds between additions.
local INTERVAL = 0.2

---@class flexhooks.nginx.Counters
---@field values table<string, number> what this worker counted, and has not
--- added yet: the metrics count there
local Counters = { __name = "flexhooks.nginx.metrics_store" }
Counters.__index = Counters

-- Counters share the dictionary with a great many claims, so their names are
-- kept in a list: the dictionary's own would stop all workers while it is
-- made.
local COUNT, NAME = "counters", "counter:"

-- Puts a counter on the list. A full dictionary may have dropped the list's
-- length: then later names overwrite earlier ones, which their workers put on
-- it again.
local function list(dict, key)
  local number = shortage.seen(dict, dict:incr(COUNT, 1, 0))
  if number then
    shortage.seen(dict, dict:set(NAME .. number, key))
  end
end

-- The names on the list, and the same as a set. What is read often, names and
-- counters, is not what a full dictionary drops.
local function names(dict)
  local keys, listed = {}, {}
  for i = 1, dict:get(COUNT) or 0 do
    local key = dict:get(NAME .. i)
    if key and dict:get(key) then
      keys[#keys + 1], listed[key] = key, true
    end
  end
  return keys, listed
end

-- Adds what was counted; what the dictionary refuses is added the next time.
local function flush(self)
  local dict, values = self.dict, self.values
  for key, n in pairs(values) do
    if n ~= 0 and shortage.seen(dict, dict:incr(key, n, 0)) then
      values[key] = 0
    end
  end
  local keys, listed = names(dict)
  for key in pairs(values) do
    if not listed[key] then
      list(dict, key)
      keys[#keys + 1] = key
    end
  end
  return keys
end

--- Sees to it that what was counted is added.
function Counters:schedule()
  self.adding:schedule()
end

--- The keys of all counters.
---@return string[]
function Counters:get_keys()
  return flush(self)
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
  local self = setmetatable({ dict = dict, values = {} }, Counters)
  self.adding = later.new(INTERVAL, flush, self)
  return self
end

return M
