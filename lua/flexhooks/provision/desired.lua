--- The webhooks that a file asks for: checked, in one form.
-- @module flexhooks.provision.desired

local events = require "flexhooks.events"
local tables = require "flexhooks.tables"
local webhooks = require "flexhooks.resources.webhooks"

local M = {}

--- Event names in one form: canonical, each once, sorted.
---@param names string[]
---@return string[]
function M.event_set(names)
  local seen, list = {}, {}
  for _, name in ipairs(names or {}) do
    for _, each in ipairs(name == "*" and events.names() or { name }) do
      local canonical = events.canonical(each) or each
      if not seen[canonical] then
        seen[canonical] = true
        list[#list + 1] = canonical
      end
    end
  end
  table.sort(list)
  return list
end

-- Where in the file a complaint belongs: its place and, where it has one, its
-- name.
local function label(index, hook)
  local name = type(hook) == "table" and hook.friendly_name
  if type(name) == "string" and #name <= 64 then
    return ("entry %d (%q)"):format(index, name)
  end
  return "entry " .. index
end

local function complaint(hook)
  if type(hook) ~= "table" then
    return "must be a table, got " .. type(hook)
  end
  return webhooks.complaint(hook)
end

local function read(hook)
  return {
    friendly_name = hook.friendly_name,
    type = hook.type or "global",
    webhook_url = hook.webhook_url,
    webhook_events = M.event_set(hook.webhook_events),
    webhook_method = hook.webhook_method,
  }
end

-- Two entries may not be the same webhook: a name, and a URL with a type, are
-- each used once.
local function clash(hook, seen)
  local place = hook.type .. " " .. hook.webhook_url
  local name = hook.friendly_name
  local other = name and seen[name] and "its friendly_name is that of entry "
    .. seen[name] or seen[place] and "its URL and type are those of entry "
    .. seen[place]
  return other, place
end

-- Keys that are no entries, and entries behind a hole: an entry that is left
-- out by mistake could be pruned.
local function strays(hooks)
  local complaints, last, holes = {}, 0, false
  for index in ipairs(hooks) do
    last = index
  end
  for _, key in ipairs(tables.sorted_keys(hooks)) do
    if type(key) ~= "number" or key < 1 or key % 1 ~= 0 then
      complaints[#complaints + 1] = "a list of webhooks is expected, but it "
        .. "has the key '" .. tostring(key):sub(1, 64) .. "'"
    end
    holes = holes or type(key) == "number" and key > last
  end
  if holes then
    complaints[#complaints + 1] = ("entry %d is nil, and others follow: where "
      .. "entries may be missing, add them one by one"):format(last + 1)
  end
  return complaints
end

--- Checks the entries of a file.
---@param hooks any what the file returned
---@return table[]? desired
---@return string[]? complaints all that is wrong, in order
function M.read(hooks)
  if type(hooks) ~= "table" then
    return nil, { "a list of webhooks is expected, got " .. type(hooks) }
  end
  local complaints, desired, seen = strays(hooks), {}, {}
  for index, hook in ipairs(hooks) do
    local wrong = complaint(hook)
    if not wrong then
      local entry = read(hook)
      local place
      wrong, place = clash(entry, seen)
      seen[place] = seen[place] or index
      if entry.friendly_name then
        seen[entry.friendly_name] = seen[entry.friendly_name] or index
      end
      desired[index] = entry
    end
    if wrong then
      complaints[#complaints + 1] = label(index, hook) .. ": " .. wrong
    end
  end
  if #complaints > 0 then
    return nil, complaints
  end
  return desired
end

return M
