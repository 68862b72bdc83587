--- What Lua's `table` lacks.
-- @module flexhooks.tables

local M = {}

local function by_text(a, b)
  return tostring(a) < tostring(b)
end

--- The keys of a table as a list in the order of their text, so that one table
-- always gives the same output.
---@param t table
---@return any[]
function M.sorted_keys(t)
  local keys = {}
  for key in pairs(t) do
    keys[#keys + 1] = key
  end
  table.sort(keys, by_text)
  return keys
end

--- A new table with the fields of all that are given; a later one's win.
---@param ... table? nil counts as empty
---@return table
function M.merged(...)
  local all = {}
  for i = 1, select("#", ...) do
    for key, value in pairs((select(i, ...)) or {}) do
      all[key] = value
    end
  end
  return all
end

return M
