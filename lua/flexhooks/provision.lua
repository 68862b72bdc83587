--- Webhooks as code: a file says which webhooks there shall be, a plan says
-- what that takes, and applying it does it.
--
--     local plan, err = flexhooks.plan(client, require "hooks")
--     print(plan)
--     local done, err = plan:apply()
--
-- An entry is a parameter table of `client.webhooks:create`. Its
-- `friendly_name` is its identity, unique in the file; what is there under
-- another name, but with the same URL and type, is adopted.
-- @module flexhooks.provision

local apply = require "flexhooks.provision.apply"
local desired_set = require "flexhooks.provision.desired"
local diff = require "flexhooks.provision.diff"
local errors = require "flexhooks.error"
local events = require "flexhooks.events"
local options = require "flexhooks.options"
local routers = require "flexhooks.router"
local text = require "flexhooks.provision.text"

local M = {}

---@class flexhooks.Change
---@field action "create"|"update"|"replace"|"delete"|"unchanged"
---@field friendly_name string?
---@field type string
---@field webhook_url string
---@field ttid string? of the webhook that is there
---@field fields table<string, { from: any, to: any }>? what differs
---@field adopted boolean? it is there under another name
---@field webhook table? after applying: the webhook
---@field done boolean? after applying: there was nothing to do, or it is done

---@alias flexhooks.OnChange
---| fun(change: flexhooks.Change, webhook: any, err: flexhooks.Error?)

---@class flexhooks.Plan
---@field changes flexhooks.Change[]
---@field counts table<string, integer> changes of each action
---@field empty boolean nothing has to change
---@field notes string[] remarks for a person
local Plan = { __name = "flexhooks.plan" }
Plan.__index = Plan
Plan.__tostring = text.plan

local function check_client(fn, client)
  if type(client) ~= "table" or type(client.webhooks) ~= "table" then
    errors.raise(3, fn .. ": argument 1 must be a client (flexhooks.client)")
  end
end

-- The entries of a file; raises one error that names everything wrong.
local function read_hooks(fn, hooks)
  local desired, complaints = desired_set.read(hooks)
  if not desired then
    local more = #complaints > 1
      and (" (and %d more)"):format(#complaints - 1) or ""
    errors.raise(3, fn .. ": " .. complaints[1] .. more, "argument",
      { details = complaints })
  end
  return desired
end

local function count(changes)
  local counts = { create = 0, update = 0, replace = 0, delete = 0,
    unchanged = 0 }
  for _, change in ipairs(changes) do
    counts[change.action] = counts[change.action] + 1
  end
  return counts
end

local function kept_note(left, prune)
  local webhook = left.webhook
  local name = webhook.friendly_name or webhook.webhook_url
  if left.owned then
    return ("%s (%s) is not in the file; prune deletes it"):format(name,
      webhook.ttid)
  elseif prune then
    return ("%s (%s) is not in the file and points elsewhere, or has no name: "
      .. "it is left alone"):format(name, webhook.ttid)
  end
end

local function notes(desired, kept, prune, empty)
  local list, plain = {}, false
  for _, left in ipairs(kept) do
    list[#list + 1] = kept_note(left, prune)
  end
  for _, wanted in ipairs(desired) do
    plain = plain or not wanted.webhook_url:find("#", 1, true)
  end
  if plain and not empty then
    list[#list + 1] = "an event is lost where a delivery fails: "
      .. "flexhooks.delivery_url(url, { retries = 3, retry_on = \"all\" }) "
      .. "asks Twilio to try again"
  end
  return list
end

--- Compares what is registered with what is wanted.
---@param client table
---@param hooks table[] the entries
---@param given { prune: boolean? }? delete webhooks that bear a name and point
--- at a receiver of the file's, but are not in it
---@return flexhooks.Plan?
---@return flexhooks.Error? err
function M.plan(client, hooks, given)
  check_client("flexhooks.plan", client)
  local checked = options.check("flexhooks.plan", {
    prune = { type = "boolean", default = false },
  }, given)
  local desired = read_hooks("flexhooks.plan", hooks)
  local current, err = client.webhooks:list()
  if not current then
    return nil, err
  end
  local changes, kept = diff.changes(desired, current, checked.prune)
  local counts = count(changes)
  local empty = counts.unchanged == #changes
  return setmetatable({
    client = client, changes = changes, counts = counts, empty = empty,
    notes = notes(desired, kept, checked.prune, empty),
  }, Plan)
end

--- Carries the plan out. It stops at the first failure; planning and applying
-- again goes on from there.
---@param given { on_change: flexhooks.OnChange? }? called after every change,
--- also the one that failed
---@return table<string, integer>? done changes of each action
---@return flexhooks.Error? err `details.done` counts what was done before
function Plan:apply(given)
  if getmetatable(self) ~= Plan then
    errors.raise(2, "plan.apply is a method: call it with ':'")
  end
  local checked = options.check("plan:apply", {
    on_change = { type = "function" },
  }, given)
  return apply.run(self.client.webhooks, self.changes, checked.on_change)
end

--- What is registered, as the text of a file that plans to no changes.
---@param client table
---@return string?
---@return flexhooks.Error? err
function M.export(client)
  check_client("flexhooks.export", client)
  local current, err = client.webhooks:list()
  if not current then
    return nil, err
  end
  table.sort(current, function(a, b)
    return a.ttid < b.ttid
  end)
  return text.file(current)
end

--- Compares the events that a file subscribes to with those that a router
-- handles.
---@param hooks table[]
---@param router table
---@return string[] unhandled subscribed to, but no handler has them
---@return string[] unsubscribed handled, but no webhook brings them
function M.drift(hooks, router)
  local desired = read_hooks("flexhooks.drift", hooks)
  if not routers.is(router) then
    errors.raise(2, "flexhooks.drift: argument 2 must be a router, got "
      .. type(router))
  end
  local handled, subscribed = {}, {}
  for _, name in ipairs(router:subscribed()) do
    for _, each in ipairs(name == "*" and events.names() or { name }) do
      handled[each] = true
    end
  end
  for _, wanted in ipairs(desired) do
    for _, name in ipairs(wanted.webhook_events) do
      subscribed[name] = true
    end
  end
  local unhandled, unsubscribed = {}, {}
  for _, name in ipairs(events.names()) do
    if subscribed[name] and not handled[name] then
      unhandled[#unhandled + 1] = name
    elseif handled[name] and not subscribed[name] then
      unsubscribed[#unsubscribed + 1] = name
    end
  end
  return unhandled, unsubscribed
end

return M
