--- What has to change so that what is there becomes what is wanted. Decides
-- alone: no request is made here.
-- @module flexhooks.provision.diff

local desired_set = require "flexhooks.provision.desired"

local M = {}

local COMPARED = { "friendly_name", "type", "webhook_url", "webhook_method",
  "webhook_events" }

local function same_events(a, b)
  return table.concat(desired_set.event_set(a), " ")
    == table.concat(desired_set.event_set(b), " ")
end

--- What differs; what the file leaves out stays as it is.
---@param wanted table
---@param current table a webhook
---@return table<string, { from: any, to: any }>? fields nil where nothing does
function M.fields(wanted, current)
  local fields, any = {}, false
  for _, name in ipairs(COMPARED) do
    local to, from = wanted[name], current[name]
    local same = to == nil or to == from
    if name == "webhook_events" then
      same = same_events(to, from)
    end
    if not same then
      fields[name], any = { from = from, to = to }, true
    end
  end
  return any and fields or nil
end

local function same_place(wanted, current)
  return current.webhook_url == wanted.webhook_url
    and (current.type or "global") == wanted.type
end

local function bare(url)
  return type(url) == "string" and url:match "^[^#]*" or ""
end

-- Delivery overrides in the fragment make no other receiver of a URL: two
-- webhooks that differ in them alone would report each event twice to it.
local function same_receiver(wanted, current)
  return bare(current.webhook_url) == bare(wanted.webhook_url)
    and (current.type or "global") == wanted.type
end

-- The oldest of the webhooks that `accepts` likes; ttids sort by time of
-- creation. One that has the wanted URL and type as well is preferred.
local function best(current, taken, wanted, accepts)
  local found
  for _, webhook in ipairs(current) do
    if not taken[webhook.ttid] and accepts(webhook) then
      local nearer = found and same_place(wanted, webhook)
        and not same_place(wanted, found)
      if not found or nearer then
        found = webhook
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
          return same(wanted, webhook)
        end)
    end
  end
  return matched, taken
end

local function change_of(wanted, current)
  if not current then
    return { action = "create", wanted = wanted }
  end
  local fields = M.fields(wanted, current)
  local action = not fields and "unchanged" or fields.type and "replace"
    or "update"
  return { action = action, wanted = wanted, current = current,
    fields = fields,
    adopted = current.friendly_name ~= wanted.friendly_name or nil }
end

-- https://host:port of a URL, as it is written.
local function origin(url)
  return type(url) == "string" and (url:match "^%a+://[^/?#]+" or url) or ""
end

-- A webhook is the file's own where it bears a name and points at a receiver
-- that the file uses: others share the account.
local function owned(webhook, origins)
  return webhook.friendly_name ~= nil
    and origins[origin(webhook.webhook_url)] or false
end

local function leftovers(desired, current, taken)
  local origins, list = {}, {}
  for _, wanted in ipairs(desired) do
    origins[origin(wanted.webhook_url)] = true
  end
  for _, webhook in ipairs(current) do
    if not taken[webhook.ttid] then
      list[#list + 1] = { webhook = webhook, owned = owned(webhook, origins) }
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
---@param prune boolean delete the file's own that it no longer has
---@return table[] changes
---@return table[] kept webhooks that the plan leaves alone
function M.changes(desired, current, prune)
  current = oldest_first(current)
  local matched, taken = match_all(desired, current)
  local changes, kept = {}, {}
  for i, wanted in ipairs(desired) do
    changes[i] = change_of(wanted, matched[i])
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
    change.friendly_name = webhook.friendly_name
    change.type, change.webhook_url = webhook.type, webhook.webhook_url
    change.ttid = change.current and change.current.ttid
  end
  return changes, kept
end

return M
