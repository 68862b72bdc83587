--- Steps away from what was given: the material of a search for what was
-- signed.
--
-- A variation is `{ names, hints, value }` with as many names and hints as it
-- is steps away; hints tell a person what to do about them.
-- @module flexhooks.signature.steps

local M = {}

--- No step.
---@param value any
---@return table variation
function M.none(value)
  return { names = {}, hints = {}, value = value }
end

--- One step.
---@param name string
---@param hint string
---@param value any
---@return table variation
function M.one(name, hint, value)
  return { names = { name }, hints = { hint }, value = value }
end

local function joined(a, b)
  local list = {}
  for _, source in ipairs { a, b } do
    for _, element in ipairs(source) do
      list[#list + 1] = element
    end
  end
  return list
end

--- Every pair of two lists' variations, made one by `combine`.
---@param first table[]
---@param second table[]|fun(value: any): table[] a list, or what makes one
--- of the first's value
---@param combine fun(a: any, b: any): any
---@return table[]
function M.product(first, second, combine)
  local list = {}
  for _, a in ipairs(first) do
    local others = type(second) == "function" and second(a.value) or second
    for _, b in ipairs(others) do
      list[#list + 1] = { names = joined(a.names, b.names),
        hints = joined(a.hints, b.hints), value = combine(a.value, b.value) }
    end
  end
  return list
end

return M
