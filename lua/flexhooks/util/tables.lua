--- What Lua's `table` lacks.
-- @module flexhooks.util.tables

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

--- Is it a list: elements from 1 on, no holes, no other keys? What stands
-- behind a hole is lost to whoever walks through the list.
---@param t table
---@return boolean
function M.is_list(t)
  local elements, keys = 0, 0
  for _ in ipairs(t) do
    elements = elements + 1
  end
  for _ in pairs(t) do
    keys = keys + 1
  end
  return elements == keys
end

return M
