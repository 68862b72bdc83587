--- Carries out the changes of a plan, one request after the other.
--
-- Every step can be cut short and made again: what an earlier run did is found
-- by the next plan. A create whose answer was lost is looked up before
-- anything else is sent, and after every create the list is read once more, so
-- that two runs at the same time end with one webhook: the one whose ttid is
-- the least stays, and whoever sees it and another removes that one. Its maker
-- alone would not do: ttids of one millisecond have no order in time, so the
-- maker of the greater may have looked before the least was there.
--
-- A person may have thought about a plan for an hour. Therefore a webhook that
-- is to be changed or deleted is fetched first, and left alone if it got
-- another name or origin in the meantime: it may have become another team's.
-- @module flexhooks.provision.apply

local diff = require "flexhooks.provision.diff"
local errors = require "flexhooks.error"
local webhook_url = require "flexhooks.url.webhook"

local M = {}

local function same(webhook, wanted)
  local url, wanted_url = webhook.webhook_url or "", wanted.webhook_url
  return webhook.friendly_name == wanted.friendly_name
    and (webhook.type or "global") == wanted.type
    and webhook_url.identity(url) == webhook_url.identity(wanted_url)
    and webhook_url.overrides(url) == webhook_url.overrides(wanted_url)
end

-- The webhooks that are what `wanted` asks for, least ttid first.
local function alike(webhooks, wanted)
  local list, err = webhooks:list { type = wanted.type }
  if not list then
    return nil, err
  end
  local found = {}
  for _, webhook in ipairs(list) do
    if same(webhook, wanted) then
      found[#found + 1] = webhook
    end
  end
  table.sort(found, function(a, b)
    return a.ttid < b.ttid
  end)
  return found
end

-- A create without an answer: had it effect?
local function reconcile(webhooks, wanted, lost)
  local found, err = alike(webhooks, wanted)
  if not found then
    lost.details = lost.details or err
    return nil, lost
  end
  return found[1], lost
end

local function gone(deleted, err)
  if deleted or err.kind == "not_found" then
    return true
  end
  return nil, err
end

local function new_values(wanted, fields)
  local values = {}
  for name in pairs(fields) do
    values[name] = wanted[name]
  end
  return values
end

-- Leaves one of those that several runs have made, as this run wants it.
local function settle(webhooks, wanted, made)
  local found, err = alike(webhooks, wanted)
  if not found then
    return nil, err
  end
  for i = 2, #found do
    local removed, why = gone(webhooks:delete(found[i].ttid))
    if not removed then
      return nil, why
    end
  end
  local kept = found[1] or made
  local fields = diff.fields(wanted, kept)
  if fields then
    return webhooks:update(kept.ttid, new_values(wanted, fields))
  end
  return kept
end

local function create(webhooks, wanted)
  local made, err = webhooks:create(wanted)
  if not made and err.maybe_applied then
    made, err = reconcile(webhooks, wanted, err)
  end
  if not made then
    return nil, err
  end
  return settle(webhooks, wanted, made)
end

local ACTIONS = {}

function ACTIONS.create(webhooks, change)
  return create(webhooks, change.wanted)
end

local function has_moved(webhook, seen)
  return webhook.friendly_name ~= seen.friendly_name
    or webhook_url.origin(webhook.webhook_url or "")
    ~= webhook_url.origin(seen.webhook_url or "")
end

-- Fetches the webhook that a change is about.
local function fetch(webhooks, change)
  local webhook, err = webhooks:get(change.current.ttid)
  if not webhook then
    return nil, err
  end
  local settled = change.wanted and not diff.fields(change.wanted, webhook)
  if not settled and has_moved(webhook, change.current) then
    return nil, errors.new("cancelled", "it was renamed or re-pointed after "
      .. "the plan was made: plan again")
  end
  return webhook, nil, settled
end

-- Updates a webhook. If the answer was lost, then what is there now tells
-- whether the update took effect.
local function update(webhooks, change)
  local ttid = change.current.ttid
  local updated, err = webhooks:update(ttid,
    new_values(change.wanted, change.fields))
  if not updated and err.maybe_applied then
    local found = webhooks:get(ttid)
    if found and not diff.fields(change.wanted, found) then
      return found
    end
  end
  return updated, err
end

-- A webhook that was deleted since the plan was made is created again.
function ACTIONS.update(webhooks, change)
  local found, err, settled = fetch(webhooks, change)
  if settled then
    return found
  elseif found then
    found, err = update(webhooks, change)
  end
  if not found and err.kind == "not_found" then
    return create(webhooks, change.wanted)
  end
  return found, err
end

local function delete(webhooks, change)
  local found, err = fetch(webhooks, change)
  if not found then
    return gone(nil, err)
  end
  return gone(webhooks:delete(found.ttid))
end

function ACTIONS.delete(webhooks, change)
  return delete(webhooks, change)
end

-- The new one is there before the old one goes, so that no event is missed.
function ACTIONS.replace(webhooks, change)
  local _, err = fetch(webhooks, change)
  if err and err.kind ~= "not_found" then
    return nil, err
  end
  local made
  made, err = create(webhooks, change.wanted)
  if not made then
    return nil, err
  end
  local removed, why = delete(webhooks, change)
  if not removed then
    return nil, why
  end
  return made
end

--- Carries out the changes in order and stops at the first that fails.
---@param webhooks table client.webhooks
---@param changes table[]
---@param on_change fun(change: table, webhook: table|true|nil, err: table?)?
---@return table? done number of changes for each action
---@return flexhooks.Error? err with `details = { done =, failed = change }`
function M.run(webhooks, changes, on_change)
  local done = { create = 0, update = 0, replace = 0, delete = 0,
    unchanged = 0 }
  for _, change in ipairs(changes) do
    local action = ACTIONS[change.action]
    if action then
      local webhook, err = action(webhooks, change)
      if on_change then
        on_change(change, webhook, err)
      end
      if not webhook then
        return nil, errors.new(err.kind, ("%s %s failed: %s"):format(
          change.action, change.friendly_name or change.webhook_url,
          err.message), { status = err.status, code = err.code,
          request_id = err.request_id, maybe_applied = err.maybe_applied,
          details = { done = done, failed = change, cause = err } })
      end
      change.webhook = webhook ~= true and webhook or nil
    end
    change.done = true
    done[change.action] = done[change.action] + 1
  end
  return done
end

return M
