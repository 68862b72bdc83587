--- Owners: several teams keep their webhooks in one account, and each changes
-- only its own. The webhooks of `teamA` have friendly names that begin with
-- `teamA/`. An owner's name has no slash, so a webhook has one owner at most.
-- @module flexhooks.provision.owner

local M = {}

local MAX_SIZE = 64
local FORM = "^[A-Za-z0-9][A-Za-z0-9._-]*$"

--- Returns what is wrong with the name of an owner, or nil.
---@param owner any
---@return string?
function M.complaint(owner)
  if type(owner) ~= "string" then
    return "must be a string, got " .. type(owner)
  elseif #owner > MAX_SIZE or not owner:find(FORM) then
    return "must be 1 to " .. MAX_SIZE .. " letters, digits, '.', '_' or '-', "
      .. "and begin with a letter or digit: owner = \"teamA\" stands for "
      .. "friendly names that begin with \"teamA/\""
  end
end

--- Returns the owner that a friendly name says, or nil.
---@param friendly_name string?
---@return string?
function M.of(friendly_name)
  local owner = friendly_name and friendly_name:match "^([^/]*)/"
  return owner and not M.complaint(owner) and owner or nil
end

return M
