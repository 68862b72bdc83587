--- Which registered webhooks point at a receiver, and what they bring it.
-- @module flexhooks.cli.doctor.webhooks

local ascii = require "flexhooks.util.ascii"
local events = require "flexhooks.events"
local webhook_url = require "flexhooks.url.webhook"

local M = {}

--- Returns a URL as it is signed: without user name, password and fragment.
-- Receivers take the default port written out or left off.
---@param url string
---@return string
function M.signed(url)
  local default = url:find "^[hH][tT][tT][pP]:" and ":80" or ":443"
  return (url:gsub("#.*$", ""):gsub("^(%a+://)[^/?]*@", "%1")
    :gsub("^(%a+://[^/?]*)" .. default .. "%f[/?%z]", "%1"))
end

-- What two URLs have in common where somebody meant the same: host and path,
-- however written.
local function gist(url)
  local host, path = webhook_url.identity(url):match "^%a+://([^/?]*)([^?]*)"
  return host and ascii.lower(host):gsub(":%d+$", "")
    .. ascii.lower((path:gsub("/+$", "")))
end

-- Those that point at one of the URLs, and those that nearly do.
local function sort(registered, urls)
  local here, near = {}, {}
  local exact, gists = {}, {}
  for _, url in ipairs(urls) do
    exact[M.signed(url)] = true
    gists[gist(url) or url] = true
  end
  for _, webhook in ipairs(registered) do
    if exact[M.signed(webhook.webhook_url)] then
      here[#here + 1] = webhook
    elseif gists[gist(webhook.webhook_url)] then
      near[#near + 1] = webhook
    end
  end
  return here, near
end

--- The canonical names that webhooks bring, and how many global ones bring
-- each.
---@param webhooks table[]
---@return table<string, integer> counts
function M.subscriptions(webhooks)
  local counts = {}
  for _, webhook in ipairs(webhooks) do
    for _, name in ipairs(webhook.webhook_events or {}) do
      local canonical = events.canonical(name) or name
      local one = webhook.type ~= "interaction" and 1 or 0
      counts[canonical] = (counts[canonical] or 0) + one
    end
  end
  return counts
end

local function names(webhooks)
  local list = {}
  for i, webhook in ipairs(webhooks) do
    list[i] = webhook.friendly_name or webhook.ttid
  end
  return table.concat(list, ", ")
end

local function check_repeated(report, here)
  local repeated = {}
  for name, count in pairs(M.subscriptions(here)) do
    if count > 1 then
      repeated[#repeated + 1] = name
    end
  end
  table.sort(repeated)
  if #repeated > 0 then
    report:add("webhooks", "warn", "more than one brings "
      .. table.concat(repeated, ", ") .. ": each of these events comes again",
      "flexhooks webhooks delete the one too many, or give each a URL of its "
        .. "own and list them as sources")
  end
end

local function check_methods(report, here, methods)
  for _, webhook in ipairs(here) do
    local taken = false
    for _, method in ipairs(methods or { "POST" }) do
      taken = taken or method == (webhook.webhook_method or "POST")
    end
    if not taken then
      report:add("webhooks", "fail", names { webhook } .. " delivers by "
        .. webhook.webhook_method .. ", which the receiver does not take",
        "add it to methods in the application, or update the webhook with "
          .. "--method POST")
    end
  end
end

local function check_retries(report, here)
  local plain = {}
  for _, webhook in ipairs(here) do
    if not webhook.webhook_url:find("#", 1, true) then
      plain[#plain + 1] = webhook
    end
  end
  if #plain > 0 then
    report:add("retries", "warn", names(plain) .. ": an event is lost where "
      .. "its delivery fails", "register the URL that flexhooks.delivery_url("
      .. "url, { retries = 3, retry_on = \"all\" }) makes")
  end
end

local function report_none(report, registered, near, urls)
  if near[1] then
    report:add("webhooks", "fail", names(near) .. " is registered with "
      .. M.signed(near[1].webhook_url) .. ", but the receiver's URL is "
      .. urls[1], "they must be equal byte for byte: change one of them")
    return
  end
  report:add("webhooks", "fail", ("none of %d points at %s"):format(
    #registered, urls[1]), "flexhooks apply hooks.lua, or flexhooks webhooks "
    .. "create --url " .. urls[1] .. " --event onChannelCreated")
end

--- Looks at what is registered.
---@param report table
---@param client flexhooks.Client
---@param urls string[] the receiver's, one at least
---@param methods string[]? that the application takes
---@return table[]? here the webhooks that point at this receiver
function M.check(report, client, urls, methods)
  local registered, err = client.webhooks:list()
  if not registered then
    report:add("webhooks", "fail", tostring(err),
      "may these credentials read the instance's webhooks?")
    return nil
  end
  local here, near = sort(registered, urls)
  if #here == 0 then
    report_none(report, registered, near, urls)
    return nil
  end
  report:add("webhooks", "pass", ("%d of %d point here: %s"):format(#here,
    #registered, names(here)))
  check_repeated(report, here)
  check_methods(report, here, methods)
  check_retries(report, here)
  return here
end

return M
