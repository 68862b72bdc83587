--- Matches the reports of one event that several webhooks make.
--
-- The payload has no id and no time, so two lawful events may be equal.
-- Reports are therefore matched, not counted: an instance is one event with
-- the sources that have reported it; a report joins the oldest instance that
-- lacks its source, and opens a new one where there is none.
--
-- A source that always joins the oldest has reported a prefix of the instances
-- of a form. So one cursor for each source finds the next in constant time.
-- @module flexhooks.dedupe.twins

local M = {}

-- Expired instances dropped with each new one.
local SWEEP = 4

local Twins = { __name = "flexhooks.dedupe.twins" }
Twins.__index = Twins

--- Makes an empty set.
---@param window number seconds that an instance waits for its other reports
---@param entries integer most instances kept
---@param sources integer reports that make an instance complete
function M.new(window, entries, sources)
  local ends = {} -- of the list of all instances, oldest first
  ends.next, ends.previous = ends, ends
  return setmetatable({
    window = window, entries = entries, sources = sources,
    forms = {}, ends = ends, count = 0,
  }, Twins)
end

local function link_last(ends, instance)
  instance.previous, instance.next = ends.previous, ends
  ends.previous.next = instance
  ends.previous = instance
end

--- Forgets an instance; nothing happens where it is forgotten already.
function Twins:remove(instance)
  local form = instance.form
  if not form then
    return
  end
  instance.form = nil
  instance.previous.next = instance.next
  instance.next.previous = instance.previous
  self.count = self.count - 1
  form[instance.number] = nil
  form.count = form.count - 1
  if form.count == 0 then
    self.forms[form.key] = nil
  end
end

local function sweep(twins, now)
  for _ = 1, SWEEP do
    local oldest = twins.ends.next
    if oldest == twins.ends or (twins.count <= twins.entries
      and now - oldest.opened <= twins.window) then
      return
    end
    twins:remove(oldest)
  end
end

--- Joins the oldest instance of the form that lacks `source`.
---@param key string the canonical form
---@param source string
---@param now number seconds, never going back
---@return table? instance nil where there is none to join
function Twins:join(key, source, now)
  local form = self.forms[key]
  if not form then
    return nil
  end
  local number, found = form.cursors[source] or 1, nil
  while number <= form.last and not found do
    local instance = form[number]
    if instance and not instance.reports[source]
      and now - instance.opened <= self.window then
      found = instance
    end
    number = number + 1
  end
  if found then
    -- Each may raise for want of memory: then nothing was reported.
    form.cursors[source] = form.cursors[source] or 1
    found.reports[source] = true
    found.reported = found.reported + 1
  end
  form.cursors[source] = number
  return found
end

--- Opens an instance that `source` reported.
---@return table instance
function Twins:open(key, source, now)
  local form = self.forms[key]
    or { key = key, count = 0, last = 0, cursors = {} }
  local number = form.last + 1
  local instance = {
    form = form, number = number, opened = now,
    reports = { [source] = true }, reported = 1, previous = false,
    next = false,
  }
  -- What takes memory comes first: what lies beyond `last` does not count.
  form[number] = instance
  form.cursors[source] = form.cursors[source] or 1
  self.forms[key] = form
  form.cursors[source] = number + 1
  form.last, form.count = number, form.count + 1
  link_last(self.ends, instance)
  self.count = self.count + 1
  sweep(self, now)
  return instance
end

--- Takes a report back: its delivery ended without an outcome.
function Twins:leave(instance, source)
  local form = instance.form
  if form and instance.reports[source] then
    instance.reports[source] = nil
    instance.reported = instance.reported - 1
    form.cursors[source] = math.min(form.cursors[source], instance.number)
  end
end

--- Is there no source left that could report this event?
function Twins:is_complete(instance)
  return instance.reported >= self.sources
end

return M
