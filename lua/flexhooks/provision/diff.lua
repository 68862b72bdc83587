--- What has to change so that what is there becomes what is wanted. Decides
-- alone: no request is made here.
-- @module flexhooks.provision.diff

local desired_set = require "flexhooks.provision.desired"
local owners = require "flexhooks.provision.owner"
local tables = require "flexhooks.util.tables"
local webhook_url = require "flexhooks.url.webhook"

local M = {}

local COMPARED = { "friendly_name", "type", "webhook_url", "webhook_method",
  "webhook_events" }

local function same_events(a, b)
  return table.concat(desired_set.event_set(a), " ")
    == table.concat(desired_set.event_set(b), " ")
end

local function shown(value)
  return type(value) == "string" and webhook_url.shown(value) or value
end

--- What differs; what the file leaves out stays as it is.
---@param wanted table
---@param current table a webhook
---@return table<string, { from: any, to: any }>? fields nil if nothing does;
-- passwords are hidden
function M.fields(wanted, current)
  local fields, any = {}, false
  for _, name in ipairs(COMPARED) do
    local to, from = wanted[name], current[name]
    local same = to == nil or to == from
    if name == "webhook_events" then
      same = same_events(to, from)
    end
    if not same then
      fields[name], any = { from = shown(from), to = shown(to) }, true
    end
  end
  return any and fields or nil
end

local function same_origin(wanted, current)
  return webhook_url.origin(current.webhook_url or "")
    == webhook_url.origin(wanted.webhook_url)
end

-- Delivery overrides in the fragment make no other receiver of a URL: two
-- webhooks that differ in them alone would report each event twice to it.
local function same_receiver(wanted, current)
  return (current.type or "global") == wanted.type
    and webhook_url.identity(current.webhook_url or "")
    == webhook_url.identity(wanted.webhook_url)
end

local function same_place(wanted, current)
  return same_receiver(wanted, current)
    and webhook_url.overrides(current.webhook_url)
    == webhook_url.overrides(wanted.webhook_url)
end

-- How much a webhook is what an entry asks for.
local function nearness(wanted, webhook)
  return same_place(wanted, webhook) and 3
    or same_receiver(wanted, webhook) and 2
    or same_origin(wanted, webhook) and 1 or 0
end

-- Returns the nearest of the webhooks that `accepts` lets pass; of equals the
-- oldest, because ttids sort by time of creation.
local function best(current, taken, wanted, accepts)
  local found, found_nearness
  for _, webhook in ipairs(current) do
    if not taken[webhook.ttid] and accepts(webhook) then
      local near = nearness(wanted, webhook)
      if not found or near > found_nearness then
        found, found_nearness = webhook, near
      end
    end
  end
  return found
end

local function match(wanted, current, taken, by)
  local webhook = best(current, taken, wanted, by)
  if webhook then
    taken[webhook.ttid] = true
  end
  return webhook
end

-- May the file adopt a webhook by its URL? Those of other owners stay theirs.
local function is_free(webhook, owner)
  local other = owners.of(webhook.friendly_name)
  return other == nil or other == owner
end

-- Names decide first, over the whole file, so that no entry adopts what
-- another one has by name.
local function match_all(desired, current)
  local taken, matched = {}, {}
  for i, wanted in ipairs(desired) do
    matched[i] = wanted.friendly_name and match(wanted, current, taken,
      function(webhook)
        return webhook.friendly_name == wanted.friendly_name
      end)
  end
  for _, same in ipairs { same_place, same_receiver } do
    for i, wanted in ipairs(desired) do
      matched[i] = matched[i] or match(wanted, current, taken,
        function(webhook)
          return is_free(webhook, desired.owner) and same(wanted, webhook)
        end)
    end
  end
  return matched, taken
end

-- Does an entry take its name from a webhook that may be another team's? So it
-- is if the webhook has another origin, or if its name says an owner that is
-- not the file's and it has another URL.
local function repoints(wanted, current, owner)
  local named = owners.of(wanted.friendly_name)
  return not same_origin(wanted, current)
    or named ~= nil and named ~= owner
    and webhook_url.identity(current.webhook_url)
    ~= webhook_url.identity(wanted.webhook_url)
end

-- Puts the registered password in the place of `****`. The second result is
-- true if there is none.
local function complete(wanted, current)
  local url = wanted.webhook_url
  if not webhook_url.is_hidden(url) then
    return wanted
  end
  local whole = webhook_url.revealed(url, current and current.webhook_url)
  return tables.merged(wanted, { webhook_url = whole }), not whole or nil
end

local function change_of(wanted, current, owner)
  local unknown
  wanted, unknown = complete(wanted, current)
  if not current then
    return { action = "create", wanted = wanted, unknown_password = unknown }
  end
  local fields = M.fields(wanted, current)
  local action = not fields and "unchanged" or fields.type and "replace"
    or "update"
  return { action = action, wanted = wanted, current = current,
    fields = fields, unknown_password = unknown,
    adopted = current.friendly_name ~= wanted.friendly_name or nil,
    repoints = repoints(wanted, current, owner) or nil }
end

-- The entry whose events a webhook delivers a second time.
local function twin_of(webhook, desired)
  for _, wanted in ipairs(desired) do
    if same_receiver(wanted, webhook) then
      return wanted
    end
  end
end

local function leftovers(desired, current, taken)
  local list = {}
  for _, webhook in ipairs(current) do
    if not taken[webhook.ttid] then
      list[#list + 1] = { webhook = webhook, twin = twin_of(webhook, desired),
        owned = desired.owner ~= nil
          and owners.of(webhook.friendly_name) == desired.owner }
    end
  end
  return list
end

local function oldest_first(webhooks)
  local list = {}
  for i, webhook in ipairs(webhooks) do
    list[i] = webhook
  end
  table.sort(list, function(a, b)
    return a.ttid < b.ttid
  end)
  return list
end

--- The changes, in the file's order, then the deletions.
---@param desired table[] from `flexhooks.provision.desired`
---@param current table[] webhooks, as the API lists them
---@param prune boolean delete the owner's that the file no longer has
---@return table[] changes
---@return table[] kept webhooks that the plan leaves alone: `webhook`, `owned`
-- by the file's owner, `twin` the entry that has the same receiver
function M.changes(desired, current, prune)
  current = oldest_first(current)
  local matched, taken = match_all(desired, current)
  local changes, kept = {}, {}
  for i, wanted in ipairs(desired) do
    changes[i] = change_of(wanted, matched[i], desired.owner)
  end
  for _, left in ipairs(leftovers(desired, current, taken)) do
    if prune and left.owned then
      changes[#changes + 1] = { action = "delete", current = left.webhook }
    else
      kept[#kept + 1] = left
    end
  end
  for _, change in ipairs(changes) do
    local webhook = change.wanted or change.current
    change.friendly_name = shown(webhook.friendly_name)
    change.type, change.webhook_url = webhook.type, shown(webhook.webhook_url)
    change.ttid = change.current and change.current.ttid
  end
  return changes, kept
end

return M
