--- Checks of option tables, driven by a specification.
--
-- A specification maps each option's name to a rule: `type` (a Lua type name,
-- `"integer"`, `"any"`, or a list of them), `required`, `default`, `min`,
-- `max`, `one_of` (list of values), and `check` (function of the value,
-- returns nil or what is wrong with it).
-- @module flexhooks.util.options

local ascii = require "flexhooks.util.ascii"
local errors = require "flexhooks.error"

local M = {}

-- Edits (insert, delete, replace, swap of neighbours) from one name to
-- another.
local function distance(a, b)
  local before, row = nil, {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local next_row = { [0] = i }
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      local best = math.min(row[j] + 1, next_row[j - 1] + 1,
        row[j - 1] + (same and 0 or 1))
      if before and j > 1 and a:byte(i) == b:byte(j - 1)
        and a:byte(i - 1) == b:byte(j) then
        best = math.min(best, before[j - 2] + 1)
      end
      next_row[j] = best
    end
    before, row = row, next_row
  end
  return row[#b]
end

--- The known name nearest to `name`, or nil where none is near.
---@param name string
---@param known table names as keys, or a list of names
---@return string?
function M.nearest(name, known)
  if type(name) ~= "string" or #name > 64 then
    return nil
  end
  local best, best_distance
  for key, value in pairs(known) do
    local candidate = type(key) == "string" and key or value
    local d = distance(ascii.lower(name), ascii.lower(candidate))
    if not best or d < best_distance
      or (d == best_distance and candidate < best) then
      best, best_distance = candidate, d
    end
  end
  if best and best_distance <= math.max(1, math.floor(#name / 3)) then
    return best
  end
end

--- " (did you mean 'x'?)", or "" where no known name is near.
---@return string
function M.suggestion(name, known)
  local nearest = M.nearest(name, known)
  return nearest and " (did you mean '" .. nearest .. "'?)" or ""
end

local function is_integer(v)
  return type(v) == "number" and v % 1 == 0 and v - v == 0
end

local function has_type(value, wanted)
  if type(wanted) == "table" then
    for _, w in ipairs(wanted) do
      if has_type(value, w) then
        return true
      end
    end
    return false
  end
  if wanted == "any" then
    return true
  end
  if wanted == "integer" then
    return is_integer(value)
  end
  return type(value) == wanted and value == value
end

local function type_names(wanted)
  return type(wanted) == "table" and table.concat(wanted, " or ") or wanted
end

-- What `value` is instead of what was wanted, without showing it.
local function name_of(value, wanted)
  if value ~= value then
    return "NaN"
  elseif wanted == "integer" and type(value) == "number" then
    return value - value == 0 and "a fraction" or "infinity"
  end
  return type(value)
end

local function one_of(value, list)
  for _, v in ipairs(list) do
    if v == value then
      return nil
    end
  end
  return "must be one of " .. table.concat(list, ", ")
end

-- A bound as a person writes it, whatever this Lua calls 2 ^ 30.
local function bound(number)
  return ascii.number(number, "%.14g")
end

-- What is wrong with `value` under `rule`, or nil. Never shows the value: an
-- option may hold a secret.
local function complaint(rule, value)
  if not has_type(value, rule.type or "any") then
    return "must be " .. type_names(rule.type) .. ", got "
      .. name_of(value, rule.type)
  end
  if rule.min and type(value) == "number" and value < rule.min then
    return "must be at least " .. bound(rule.min)
  end
  if rule.max and type(value) == "number" and value > rule.max then
    return "must be at most " .. bound(rule.max)
  end
  if rule.one_of then
    return one_of(value, rule.one_of)
  end
  return rule.check and rule.check(value)
end

-- What a specification asks of options that are absent, so that each check
-- costs what was given, not what could have been.
local plans = setmetatable({}, { __mode = "k" })

local function plan_of(spec)
  local plan = { required = {}, defaults = {} }
  for name, rule in pairs(spec) do
    if rule.required then
      plan.required[#plan.required + 1] = name
    end
    plan.defaults[name] = rule.default
  end
  plans[spec] = plan
  return plan
end

-- Options that a metatable gives count as well.
local function flattened(spec, given)
  local flat = {}
  for name in pairs(spec) do
    flat[name] = given[name]
  end
  for name, value in pairs(given) do
    flat[name] = value
  end
  return flat
end

-- Raises for the first name that is unknown or missing.
local function check_names(fn, spec, plan, given, level)
  for name in next, given do
    if not spec[name] then
      errors.raise(level + 1, fn .. ": unknown option '" .. tostring(name)
        .. "'" .. M.suggestion(name, spec))
    end
  end
  for _, name in ipairs(plan.required) do
    if given[name] == nil then
      errors.raise(level + 1, fn .. ": option '" .. name .. "' is missing")
    end
  end
end

--- Checks `given` against `spec`; raises at the caller's caller.
---@param fn string the function's public name, for messages
---@param spec table<string, table>
---@param given table?
---@param level integer? levels above the caller of `check`, default 1
---@return table checked a new table with defaults filled in
function M.check(fn, spec, given, level)
  level = (level or 1) + 2
  if given == nil then
    given = {}
  end
  if type(given) ~= "table" then
    errors.raise(level, fn .. ": options must be a table, got "
      .. type(given))
  end
  if getmetatable(given) then
    given = flattened(spec, given)
  end
  local plan = plans[spec] or plan_of(spec)
  check_names(fn, spec, plan, given, level)
  local checked = {}
  for name, value in next, plan.defaults do
    checked[name] = value
  end
  for name, value in next, given do
    local wrong = complaint(spec[name], value)
    if wrong then
      errors.raise(level, fn .. ": option '" .. name .. "' " .. wrong)
    end
    checked[name] = value
  end
  return checked
end

--- Checks one positional argument; raises at the caller's caller.
---@param fn string
---@param position integer
---@param rule table
---@param value any
---@return any value
function M.argument(fn, position, rule, value)
  if value == nil and not rule.required then
    return rule.default
  end
  local wrong = complaint(rule, value)
  if wrong then
    errors.raise(3, fn .. ": argument " .. position .. " " .. wrong)
  end
  return value
end

--- Checks that a method was called with ':'; raises at the caller's caller.
---@param class table the metatable that `self` must have
---@param fn string the method's public name, such as "queue:get"
---@param self any
function M.method(class, fn, self)
  if type(self) ~= "table" or getmetatable(self) ~= class then
    errors.raise(3, fn:gsub(":", ".") .. " is a method: call it with ':', as "
      .. "in " .. fn .. "(…)")
  end
end

return M
