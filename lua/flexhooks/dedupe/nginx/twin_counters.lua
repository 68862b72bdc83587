--- Which event a report belongs to, where several webhooks report each: the
-- rule of `flexhooks.dedupe.twins` on what fits into one entry of a shared
-- dictionary.
--
-- Instances of a form are numbered. A report joins the oldest that its source
-- has not reported, or opens the next. So a source has always reported a
-- prefix of those that count, and one number for each source tells which.
-- @module flexhooks.dedupe.nginx.twin_counters

local M = {}

---@class flexhooks.nginx.Form
---@field first integer no instance before it counts any more
---@field last integer the instance that was opened last
---@field reported table<string, integer> by source: its last instance

--- A source's label without the bytes that mean something in a form's text.
---@param label string
---@return string
function M.escape(label)
  return (label:gsub("[%%= ]", function(c)
    return ("%%%02x"):format(c:byte())
  end))
end

--- Reads what `spell` wrote.
---@param text string? nil: a form that nobody has reported
---@return flexhooks.nginx.Form
function M.parse(text)
  local form = { first = 1, last = 0, reported = {} }
  if text then
    local first, last, rest = text:match "^(%d+) (%d+)(.*)$"
    form.first, form.last = tonumber(first), tonumber(last)
    for source, number in rest:gmatch " ([^=]*)=(%d+)" do
      form.reported[source] = tonumber(number)
    end
  end
  return form
end

--- The text that a form is kept as.
---@param form flexhooks.nginx.Form
---@return string
function M.spell(form)
  local parts = { ("%d %d"):format(form.first, form.last) }
  for source, number in pairs(form.reported) do
    parts[#parts + 1] = ("%s=%d"):format(source, number)
  end
  return table.concat(parts, " ")
end

--- Takes a report in: every instance is passed once by `first`, and once by
-- each source.
---@param form flexhooks.nginx.Form changed
---@param source string escaped
---@param counts fun(number: integer): boolean does this instance count?
---@return integer number of its instance
---@return boolean opened it is a new one
function M.report(form, source, counts)
  while form.first <= form.last and not counts(form.first) do
    form.first = form.first + 1
  end
  local number = math.max((form.reported[source] or 0) + 1, form.first)
  while number <= form.last and not counts(number) do
    number = number + 1
  end
  local opened = number > form.last
  form.reported[source], form.last = number, math.max(number, form.last)
  return number, opened
end

return M
