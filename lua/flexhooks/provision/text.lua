--- A plan in words, and webhooks as the text of a file.
-- @module flexhooks.provision.text

local desired_set = require "flexhooks.provision.desired"
local log = require "flexhooks.log"
local webhook_url = require "flexhooks.url.webhook"

local M = {}

local SIGNS = { create = "+", update = "~", replace = "±", delete = "-",
  unchanged = " " }

-- The order in which fields are told.
M.FIELDS = { "friendly_name", "type", "webhook_url", "webhook_method",
  "webhook_events" }

local function quoted(value)
  if value == nil then
    return "(none)"
  elseif type(value) == "table" then
    return "[" .. table.concat(value, ", ") .. "]"
  end
  return '"' .. webhook_url.shown(value):gsub('[\\"]', "\\%0") .. '"'
end

local function title(change)
  return change.friendly_name and quoted(change.friendly_name)
    or webhook_url.shown(change.webhook_url or "(no URL)")
end

-- Two URLs that look alike differ in what is hidden.
local function field_line(name, field)
  local hint = field.from == field.to
    and "  (another user name or password)" or ""
  return ("      %s: %s -> %s%s"):format(name, quoted(field.from),
    quoted(field.to), hint)
end

local function without(list, other)
  local there, left = {}, {}
  for _, value in ipairs(other) do
    there[value] = true
  end
  for _, value in ipairs(list) do
    if not there[value] then
      left[#left + 1] = value
    end
  end
  return left
end

-- Events are told one by one, since a list of seven hides the one that
-- changed.
local function event_lines(from, to)
  from, to = desired_set.event_set(from), desired_set.event_set(to)
  local lines = {}
  for _, name in ipairs(without(to, from)) do
    lines[#lines + 1] = "      webhook_events: + " .. name
  end
  for _, name in ipairs(without(from, to)) do
    lines[#lines + 1] = "      webhook_events: - " .. name
  end
  return lines
end

local function append(lines, more)
  for _, line in ipairs(more) do
    lines[#lines + 1] = line
  end
end

local function change_lines(change)
  local verb = change.repoints and "re-points" or change.action
  local head = ("  %s %-9s %s"):format(SIGNS[change.action], verb,
    title(change))
  if change.ttid then
    head = head .. "  (" .. change.ttid .. ")"
  end
  local lines = { head }
  for _, name in ipairs(M.FIELDS) do
    local field = change.fields and change.fields[name]
    if field and name == "webhook_events" then
      append(lines, event_lines(field.from, field.to))
    elseif field then
      lines[#lines + 1] = field_line(name, field)
    elseif change.action == "create" and change.wanted[name] ~= nil then
      lines[#lines + 1] = ("      %s: %s"):format(name,
        quoted(change.wanted[name]))
    end
  end
  return lines
end

local ORDER = { "create", "update", "replace", "delete", "unchanged" }

--- "1 to create, 2 unchanged", or the same of what was done.
---@param counts table<string, integer>
---@param words table<string, string> how each action is told
function M.summary(counts, words)
  local parts = {}
  for _, action in ipairs(ORDER) do
    if counts[action] > 0 then
      parts[#parts + 1] = counts[action] .. " " .. words[action]
    end
  end
  return #parts > 0 and table.concat(parts, ", ") or "no webhooks"
end

M.TO_DO = { create = "to create", update = "to update",
  replace = "to replace", delete = "to delete", unchanged = "unchanged" }
M.DONE = { create = "created", update = "updated", replace = "replaced",
  delete = "deleted", unchanged = "unchanged" }

--- A plan for a person. Names are whatever somebody registered: no control
-- character of theirs reaches a terminal.
---@param plan table
---@return string
function M.plan(plan)
  local lines = {}
  for _, change in ipairs(plan.changes) do
    append(lines, change_lines(change))
  end
  for _, list in ipairs { plan.notes, plan.refusals } do
    for _, note in ipairs(list) do
      lines[#lines + 1] = "  ! " .. note
    end
  end
  lines[#lines + 1] = (plan.empty and "No changes: " or "Plan: ")
    .. M.summary(plan.counts, M.TO_DO) .. "."
  for i, line in ipairs(lines) do
    lines[i] = log.escape(line)
  end
  return table.concat(lines, "\n")
end

local function event_list(names)
  local lines = {}
  for _, name in ipairs(desired_set.event_set(names)) do
    lines[#lines + 1] = ("      %q,"):format(name)
  end
  return "{\n" .. table.concat(lines, "\n") .. "\n    }"
end

-- Control characters by their numbers, on every Lua.
local function lua_string(value)
  local text = ("%q"):format(webhook_url.shown(value))
  return (text:gsub("\\\n", "\\n"):gsub("%c", function(c)
    return ("\\%03d"):format(c:byte())
  end))
end

local function lua_value(value)
  return type(value) == "table" and event_list(value) or lua_string(value)
end

local function entry(webhook, comment)
  local lines = { "  {" }
  for _, name in ipairs(M.FIELDS) do
    if webhook[name] ~= nil then
      lines[#lines + 1] = ("    %s = %s,"):format(name,
        lua_value(webhook[name]))
    end
  end
  lines[#lines + 1] = "  },"
  local text = table.concat(lines, "\n")
  if comment then
    text = "  -- " .. comment .. "\n  -- " .. text:gsub("\n", "\n  -- ")
  end
  return text
end

local PASSWORD = "-- **** stands for the password that is registered. To "
  .. "create such a webhook,\n-- write the password, as in os.getenv "
  .. "\"HOOK_PASSWORD\"."

--- The text of a file that asks for exactly these webhooks. One that could not
-- stand beside another (the same name, or the same URL and type) is written as
-- a comment. Passwords are left out: `****` stands for what is registered.
---@param webhooks table[]
---@param owner string? of all of them
---@return string
function M.file(webhooks, owner)
  local names, places, hidden = {}, {}, false
  local parts = { "-- Interactions webhooks: flexhooks plan, flexhooks apply.",
    "return {", owner and "  owner = " .. lua_string(owner) .. "," }
  for _, webhook in ipairs(webhooks) do
    local url = webhook.webhook_url or ""
    local place = (webhook.type or "global") .. webhook_url.identity(url)
      .. webhook_url.overrides(url)
    local name = webhook.friendly_name
    local twin = name and names[name] or places[place]
    parts[#parts + 1] = entry(webhook, twin and webhook.ttid
      .. " repeats the name, or the URL and type, of " .. twin)
    places[place] = places[place] or webhook.ttid
    hidden = hidden or webhook_url.shown(url) ~= url
    if name then
      names[name] = names[name] or webhook.ttid
    end
  end
  if hidden then
    parts[1] = parts[1] .. "\n" .. PASSWORD
  end
  parts[#parts + 1] = "}\n"
  return table.concat(parts, "\n")
end

return M
