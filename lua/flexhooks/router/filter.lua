--- Filters of event fields: `{ Field = value | list of values | predicate }`.
--
-- A filter is checked and copied when it is registered, and becomes one
-- function of the event. Names are canonical on both sides, numbers stay
-- numbers.
-- @module flexhooks.router.filter

local errors = require "flexhooks.error"
local events = require "flexhooks.events"
local tables = require "flexhooks.util.tables"

local M = {}

local SCALARS = { string = true, number = true, boolean = true }

-- `value` as an event would carry it in `field`, or nil and what is wrong.
local function as_carried(field, value)
  local kind = type(value)
  if not SCALARS[kind] then
    return nil, "must be a value, a list of values or a function, got " .. kind
  end
  local wanted = events.field_type(field)
  if field == "EventType" then
    return events.canonical(value) or value
  elseif wanted == "integer" then
    local number = tonumber(value)
    return number, not number and "is compared with an integer" or nil
  elseif wanted == "string" and kind ~= "string" then
    return nil, "is compared with a string, got " .. kind
  end
  return value
end

local function as_set(field, list)
  local set = {}
  for _, value in ipairs(list) do
    local carried, wrong = as_carried(field, value)
    if wrong or carried ~= carried then
      return nil, wrong or "is compared with NaN, which equals nothing"
    end
    set[carried] = true
  end
  if not tables.is_list(list) then
    return nil, "must be a list of values without holes"
  end
  if #list == 0 then
    return nil, "is an empty list, which matches nothing"
  end
  return set
end

local function add(plan, field, value)
  if type(value) == "function" then
    plan.predicates[#plan.predicates + 1] = { field = field, test = value }
    return nil
  end
  local list = type(value) == "table" and value or { value }
  local set, wrong = as_set(field, list)
  plan.sets[#plan.sets + 1] = { field = field, set = set }
  return wrong
end

local function by_field(a, b)
  return a.field < b.field
end

local function in_set(set, value)
  return value ~= nil and set[value] ~= nil
end

-- Predicates see only events that the plain values let through.
local function matcher(sets, predicates)
  if #sets == 1 and #predicates == 0 then
    local field, set = sets[1].field, sets[1].set
    return function(event)
      local value = event[field]
      return value ~= nil and set[value] ~= nil
    end
  end
  return function(event)
    for i = 1, #sets do
      if not in_set(sets[i].set, event[sets[i].field]) then
        return false
      end
    end
    for i = 1, #predicates do
      if not predicates[i].test(event[predicates[i].field], event) then
        return false
      end
    end
    return true
  end
end

--- Compiles a filter; raises for one that could never match.
---@param fn string the public function that was called, for messages
---@param filter table<string, any>
---@param level integer? whom to blame: 1 is the caller of `fn`
---@return (fun(event: table): boolean)? match nil for an empty filter
---@return table<string, boolean>? types the only event types that can match
function M.compile(fn, filter, level)
  level = (level or 1) + 2
  local plan = { sets = {}, predicates = {} }
  for field, value in pairs(filter) do
    if type(field) ~= "string" then
      errors.raise(level, fn .. ": a filter's keys are field names, got "
        .. type(field))
    end
    local wrong = add(plan, field, value)
    if wrong then
      errors.raise(level, fn .. ": filter '" .. field .. "' " .. wrong)
    end
  end
  if #plan.sets + #plan.predicates == 0 then
    return nil
  end
  table.sort(plan.sets, by_field)
  table.sort(plan.predicates, by_field)
  local types
  for _, entry in ipairs(plan.sets) do
    types = types or (entry.field == "EventType" and entry.set) or nil
  end
  return matcher(plan.sets, plan.predicates), types
end

return M
