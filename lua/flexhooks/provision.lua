--- Webhooks as code: a file says which webhooks there shall be, a plan says
-- what that takes, and applying it does it.
--
--     local plan, err = flexhooks.plan(client, require "hooks")
--     print(plan)
--     local done, err = plan:apply()
--
-- An entry is a parameter table of `client.webhooks:create`. Its
-- `friendly_name` is its identity, unique in the file; what is there under
-- another name, but with the same URL and type, is adopted. A file may name an
-- `owner`: all its friendly names then begin with the owner's, and pruning is
-- limited to these.
-- @module flexhooks.provision

local apply = require "flexhooks.provision.apply"
local desired_set = require "flexhooks.provision.desired"
local diff = require "flexhooks.provision.diff"
local errors = require "flexhooks.error"
local events = require "flexhooks.events"
local notes = require "flexhooks.provision.notes"
local options = require "flexhooks.util.options"
local owners = require "flexhooks.provision.owner"
local routers = require "flexhooks.router"
local tables = require "flexhooks.util.tables"
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
---@field repoints boolean? the name belongs to a webhook of another origin
---@field webhook table? after applying: the webhook
---@field done boolean? after applying: there was nothing to do, or it is done

---@alias flexhooks.OnChange
---| fun(change: flexhooks.Change, webhook: any, err: flexhooks.Error?)

---@class flexhooks.Plan
---@field changes flexhooks.Change[]
---@field counts table<string, integer> changes of each action
---@field empty boolean nothing has to change
---@field notes string[] remarks for a person
---@field owner string? whose webhooks may be pruned
---@field refusals string[] why `apply` would refuse to run
local Plan = { __name = "flexhooks.plan" }
Plan.__index = Plan
Plan.__tostring = text.plan

local function check_client(fn, client)
  if type(client) ~= "table" or type(client.webhooks) ~= "table" then
    errors.raise(3, fn .. ": argument 1 must be a client (flexhooks.client)")
  end
end

-- " (and 2 more)", for a list of which the first element is told.
local function more(list)
  return #list > 1 and (" (and %d more)"):format(#list - 1) or ""
end

-- The entries of a file; raises one error that names everything wrong.
local function read_hooks(fn, hooks, owner)
  local desired, complaints = desired_set.read(hooks, owner)
  if not desired then
    errors.raise(3, fn .. ": " .. complaints[1] .. more(complaints),
      "argument", { details = complaints })
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

local PLAN = {
  prune = { type = "boolean", default = false },
  repoint = { type = "boolean", default = false },
  owner = { check = owners.complaint },
}
local APPLY = { on_change = { type = "function" },
  repoint = { type = "boolean" } }

--- Compares what is registered with what is wanted.
---@param client table
---@param hooks table[] the entries; the field `owner` says whose they are
---@param given { prune: boolean?, owner: string?, repoint: boolean? }? `prune`
--- deletes the owner's webhooks that are not among the entries; `owner` is for
--- entries without that field; `repoint` lets `apply` change a webhook of
--- another origin that has the name of an entry
---@return flexhooks.Plan?
---@return flexhooks.Error? err
function M.plan(client, hooks, given)
  check_client("flexhooks.plan", client)
  local checked = options.check("flexhooks.plan", PLAN, given)
  local desired = read_hooks("flexhooks.plan", hooks, checked.owner)
  local current, err = client.webhooks:list()
  if not current then
    return nil, err
  end
  local changes, kept = diff.changes(desired, current, checked.prune)
  local counts = count(changes)
  local empty = counts.unchanged == #changes
  local plan = setmetatable({
    client = client, changes = changes, counts = counts, empty = empty,
    owner = desired.owner, prune = checked.prune,
    notes = notes.of(desired, kept, checked.prune, empty),
  }, Plan)
  plan.refusals = notes.refusals(plan, checked.repoint)
  return plan
end

local function check_method(self, name)
  if getmetatable(self) ~= Plan then
    errors.raise(3, "plan." .. name .. " is a method: call it with ':'")
  end
end

-- Returns an error that gives all reasons, or nil if there are none.
local function refusal(reasons)
  if #reasons == 0 then
    return nil
  end
  local details = tables.merged(reasons, { done = count {} })
  return errors.new("argument", reasons[1] .. more(reasons),
    { details = details })
end

--- Returns the error with which `apply` would refuse to run, or nil.
---@return flexhooks.Error? err of kind `argument`; `details` lists all reasons
function Plan:refusal()
  check_method(self, "refusal")
  return refusal(self.refusals)
end

--- Carries the plan out. It stops at the first failure; planning and applying
-- again goes on from there. It sends nothing if the plan has refusals.
---@param given { on_change: flexhooks.OnChange?, repoint: boolean? }?
--- `on_change` is called after every change, also the one that failed;
--- `repoint` as in `flexhooks.plan`
---@return table<string, integer>? done changes of each action
---@return flexhooks.Error? err `details.done` counts what was done before
function Plan:apply(given)
  check_method(self, "apply")
  local checked = options.check("plan:apply", APPLY, given)
  local refused = refusal(checked.repoint and notes.refusals(self, true)
    or self.refusals)
  if refused then
    return nil, refused
  end
  return apply.run(self.client.webhooks, self.changes, checked.on_change)
end

--- Returns what is registered as the text of a file that plans to no changes.
---@param client table
---@param given { owner: string? }? only the webhooks of this owner
---@return string?
---@return flexhooks.Error? err
function M.export(client, given)
  check_client("flexhooks.export", client)
  local owner = options.check("flexhooks.export", {
    owner = PLAN.owner }, given).owner
  local current, err = client.webhooks:list()
  if not current then
    return nil, err
  end
  local chosen = {}
  for _, webhook in ipairs(current) do
    if not owner or owners.of(webhook.friendly_name) == owner then
      chosen[#chosen + 1] = webhook
    end
  end
  table.sort(chosen, function(a, b)
    return a.ttid < b.ttid
  end)
  return text.file(chosen, owner)
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
