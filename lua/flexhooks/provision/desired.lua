--- The webhooks that a file asks for: checked, in one form.
-- @module flexhooks.provision.desired

local events = require "flexhooks.events"
local owners = require "flexhooks.provision.owner"
local tables = require "flexhooks.util.tables"
local webhook_url = require "flexhooks.url.webhook"
local webhooks = require "flexhooks.client.resources.webhooks"

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
    return ("entry %d (%q)"):format(index, webhook_url.shown(name))
  end
  return "entry " .. index
end

-- In a file `****` stands for the password that is registered.
local function complaint(hook)
  if type(hook) ~= "table" then
    return "must be a table, got " .. type(hook)
  end
  local url = hook.webhook_url
  if type(url) == "string" and webhook_url.is_hidden(url) then
    hook = tables.merged(hook, { webhook_url = webhook_url.target(url) })
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

-- Returns what is wrong with an entry beside those before it: a name, and a
-- URL with a type, may appear once.
local function clash(entry, index, seen)
  local place = "at " .. entry.type .. webhook_url.identity(entry.webhook_url)
    .. webhook_url.overrides(entry.webhook_url)
  local name = entry.friendly_name and "is " .. entry.friendly_name or place
  local wrong = name ~= place and seen[name]
    and "its friendly_name is that of entry " .. seen[name] or seen[place]
    and "its URL and type are those of entry " .. seen[place] or nil
  seen[name], seen[place] = seen[name] or index, seen[place] or index
  return wrong
end

local function owner_complaint(hook, owner)
  local name = hook.friendly_name
  if owner and (name == nil or type(name) == "string")
    and owners.of(name) ~= owner then
    return ("its friendly_name must begin with \"%s/\", since the owner is "
      .. "\"%s\""):format(owner, owner)
  end
end

local function is_place(key)
  return type(key) == "number" and key >= 1 and key % 1 == 0
end

-- Keys that are no entries, and entries behind a hole: an entry that is left
-- out by mistake could be pruned.
local function strays(hooks)
  local complaints, last, holes = {}, 0, false
  for index in ipairs(hooks) do
    last = index
  end
  for _, key in ipairs(tables.sorted_keys(hooks)) do
    if key ~= "owner" and not is_place(key) then
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

-- Returns the owner that was given or that the file names.
local function owner_of(hooks, given, complaints)
  local own = hooks.owner
  local wrong = own ~= nil and owners.complaint(own)
  if wrong then
    complaints[#complaints + 1] = "the key 'owner' " .. wrong
  elseif own ~= nil and given ~= nil and own ~= given then
    complaints[#complaints + 1] = ("the file's owner is \"%s\", but \"%s\" "
      .. "was given"):format(own, given)
  end
  return given or not wrong and own or nil
end

-- Returns the checked entry, or nil, and all that is wrong with it.
local function read_entry(hook, index, owner, seen)
  local wrong = complaint(hook)
  local list = { wrong }
  local entry = not wrong and read(hook) or nil
  if type(hook) == "table" then
    list[#list + 1] = owner_complaint(hook, owner)
  end
  if entry then
    list[#list + 1] = clash(entry, index, seen)
  end
  return entry, list
end

--- Checks the entries of a file.
---@param hooks any what the file returned
---@param given string? an owner; the file may name it instead
---@return table[]? desired with the field `owner`
---@return string[]? complaints all that is wrong, in order
function M.read(hooks, given)
  if type(hooks) ~= "table" then
    return nil, { "a list of webhooks is expected, got " .. type(hooks) }
  end
  local complaints, seen = strays(hooks), {}
  local desired = { owner = owner_of(hooks, given, complaints) }
  for index, hook in ipairs(hooks) do
    local entry, list = read_entry(hook, index, desired.owner, seen)
    desired[index] = entry
    for _, wrong in ipairs(list) do
      complaints[#complaints + 1] = label(index, hook) .. ": " .. wrong
    end
  end
  if #complaints > 0 then
    return nil, complaints
  end
  return desired
end

return M
