--- What a plan says to a person beside its changes: remarks, and the reasons
-- for which it must not be applied.
-- @module flexhooks.provision.notes

local webhook_url = require "flexhooks.url.webhook"

local M = {}

local function shown_name(webhook)
  return webhook_url.shown(webhook.friendly_name or webhook.webhook_url or "")
end

-- Appends remarks on a webhook that is not in the file.
local function add_kept(list, left, owner, prune)
  local name = ("%s (%s)"):format(shown_name(left.webhook), left.webhook.ttid)
  if left.twin then
    list[#list + 1] = ("%s delivers to the URL of %s too: an event that both "
      .. "subscribe to comes twice"):format(name, shown_name(left.twin))
  end
  if left.owned then
    list[#list + 1] = name .. " is not in the file; prune deletes it"
  elseif prune then
    list[#list + 1] = name .. " is not in the file"
      .. (owner and ", and not of this owner" or "") .. ": it is left alone"
  end
end

local RETRIES = "an event is lost where a delivery fails: "
  .. "flexhooks.delivery_url(url, { retries = 3, retry_on = \"all\" }) asks "
  .. "Twilio to try again"

--- Returns remarks on what a plan leaves alone, and on what its URLs lack.
---@param desired table[] from `flexhooks.provision.desired`
---@param kept table[] from `flexhooks.provision.diff`
---@param prune boolean
---@param empty boolean nothing has to change
---@return string[]
function M.of(desired, kept, prune, empty)
  local list, plain = {}, false
  for _, left in ipairs(kept) do
    add_kept(list, left, desired.owner, prune)
  end
  for _, wanted in ipairs(desired) do
    plain = plain or not wanted.webhook_url:find("#", 1, true)
  end
  if plain and not empty then
    list[#list + 1] = RETRIES
  end
  return list
end

local NO_OWNER = "prune needs an owner, and deletes nothing without one: give "
  .. "--owner NAME, or write owner = \"NAME\" into the table of webhooks"

local REPOINTED = "%s (%s) is registered at %s, and would be re-pointed to %s:"
  .. " if it is yours, give --repoint (from Lua: repoint = true)"

local UNKNOWN = "**** in the URL of %s stands for a password that is not "
  .. "registered: write the password, as in os.getenv \"HOOK_PASSWORD\""

local function add_reasons(list, change, repoint)
  if change.repoints and not repoint then
    list[#list + 1] = REPOINTED:format(shown_name(change.current),
      change.ttid, webhook_url.shown(change.current.webhook_url or "none"),
      webhook_url.shown(change.wanted.webhook_url))
  end
  if change.unknown_password then
    list[#list + 1] = UNKNOWN:format(shown_name(change.wanted))
  end
end

--- Returns the reasons for which a plan must not be applied.
---@param plan table `changes`, `prune`, `owner`
---@param repoint boolean? may a webhook of another origin be changed?
---@return string[]
function M.refusals(plan, repoint)
  local list = {}
  if plan.prune and not plan.owner then
    list[1] = NO_OWNER
  end
  for _, change in ipairs(plan.changes) do
    add_reasons(list, change, repoint)
  end
  return list
end

return M
