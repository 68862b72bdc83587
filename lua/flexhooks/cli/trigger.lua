--- flexhooks trigger: sends signed events.
-- @module flexhooks.cli.trigger

local errors = require "flexhooks.error"
local event_source = require "flexhooks.cli.event_source"
local interrupt = require "flexhooks.cli.interrupt"
local progress = require "flexhooks.cli.progress"
local output = require "flexhooks.cli.output"
local senders = require "flexhooks.cli.sender"
local settings = require "flexhooks.cli.settings"
local tables = require "flexhooks.util.tables"
local load_stats = require "flexhooks.cli.load_stats"
local webhook_url = require "flexhooks.url.webhook"

local M = {}

M.summary = "Send signed events to a receiver: one, a scenario, or a load."
M.example = [[
url=http://127.0.0.1:8080/flex/events
flexhooks trigger onParticipantJoined --url $url ParticipantType=agent
flexhooks trigger --scenario conversation --speed 10 --url $url
flexhooks trigger --events captured.jsonl --url $url
flexhooks trigger onChannelCreated --count 10000 --rate 500 --url $url]]

local MAX_COUNT = 1000000
local LOAD_CONCURRENCY = 32

local function positive(text)
  local number = tonumber(text)
  if number and number > 0 and number < math.huge then
    return number
  end
  return nil, "'" .. text .. "' is not a number above 0"
end

local function natural(text)
  local number = positive(text)
  if number and number % 1 == 0 and number <= MAX_COUNT then
    return number
  end
  return nil, "'" .. text .. "' is not a whole number from 1 to 1000000"
end

local function configure_load(parser)
  parser:option("--count", "Send it so many times, each with SIDs of its own; "
    .. "captured events as they are."):argname("N"):convert(natural)
  parser:option("--rate", "Events a second."):argname("N"):convert(positive)
  parser:option("--concurrency", "Interactions at a time; each one's events "
    .. "stay in order. Default: 1, with --count or --rate 32.")
    :argname("N"):convert(natural)
  parser:option("--speed", "Keep the time between events, so many times "
    .. "faster. Default: no waiting."):argname("N"):convert(positive)
  parser:flag("--json", "Print the summary as JSON.")
end

--- Adds the command's arguments to its parser.
function M.configure(parser)
  event_source.configure(parser)
  parser:option("--url", "Where to send."):argname("URL"):count(1)
  parser:option("--signed-url", "The URL to sign, where the receiver is "
    .. "behind a proxy. Default: $FLEXHOOKS_PUBLIC_URL where its path is the "
    .. "same, else the one to send to."):argname("URL")
  parser:option("--method", "How to deliver.")
    :choices({ "POST", "GET" })
  configure_load(parser)
  settings.configure_signer(parser)
end

local function path_of(url)
  return url:match("^%a+://[^/?#]*([^?#]*)")
end

-- A receiver behind a proxy has another address here than where Twilio sends
-- to, and the latter is what is signed.
local function url_to_sign(given)
  local public = settings.env("FLEXHOOKS_PUBLIC_URL")
  if given.signed_url then
    return given.signed_url
  elseif public and public ~= given.url
    and path_of(public) == path_of(given.url) then
    output.say("signed for %s ($FLEXHOOKS_PUBLIC_URL)", public)
    return public
  end
  return given.url
end

-- Where the request is sent, and its Authorization; a target's query is the
-- signed one.
local function address(request, url)
  if request.method == "GET" then
    url = url:gsub("[?#].*$", "") .. request.target:match("%?.*$")
  end
  return webhook_url.target(url)
end

-- What sends one item and tells how it went.
local function sender(given, signer)
  local http = require("flexhooks").http
  local testing = require "flexhooks.testing"
  local signing = tables.merged(signer, { url = url_to_sign(given),
    method = given.method })
  return function(item)
    local request = testing.request(item.event, signing)
    local target, authorization = address(request, given.url)
    request.headers.Authorization = authorization
    return http(target, { method = request.method,
      headers = request.headers, body = request.body })
  end
end

local HINTS = {
  ["400"] = "400: the signature held, but the event lacks a field, or one has "
    .. "the wrong shape.",
  ["403"] = "The receiver refused the signature: check that it has this auth "
    .. "token or shared key, and takes this URL for its own.",
  ["404"] = "404: nothing is served at this path.",
}

-- Prints each answer as it comes, or keeps a live line where they are many.
local function reporter(given, single)
  if given.count or given.rate or given.json then
    return progress.line()
  end
  return {
    answered = function(_, _, item, response)
      if response and single then
        io.stdout:write(response.status, " ", response.body, "\n")
      elseif response then
        io.stdout:write(response.status, " ", item.event.EventType, " ",
          tostring(item.event.InteractionSid or "-"), "\n")
      end
    end,
    close = function() end,
  }
end

local function conclude(job, whole)
  local tally, given = job.tally, job.given
  local now = require("flexhooks").clock()
  job.report:close()
  if given.json then
    output.json(tally:summary(now))
  elseif given.count or given.rate then
    print(tally:line(now))
  elseif not job.source.single then
    output.say("%s", tally:line(now))
  end
  for _, status in ipairs { "400", "403", "404" } do
    if tally.statuses[status] then
      output.say("%s", HINTS[status])
    end
  end
  if not whole then
    return nil, job.failure or errors.new("cancelled", "interrupted")
  end
  return tally.good == tally.sent or nil
end

-- Of a few events none is sent after one that could not be; a load goes on.
local function send_one(job, item)
  local clock = require("flexhooks").clock
  local begun = clock()
  local response, err = job.send(item)
  if err and err.kind == "cancelled" then
    return nil
  end
  job.tally:add(clock() - begun, response, err)
  job.report:answered(job.tally, item, response)
  if err and not (job.given.count or job.given.rate) then
    job.failure = err
    return nil
  end
  return true
end

local function carry_out(job)
  local given = job.given
  local many = given.count or given.rate
  job.tally = load_stats.new(require("flexhooks").clock())
  return conclude(job, interrupt.run(function(interrupted)
    return senders.run {
      lists = job.source.lists, count = job.source.count,
      concurrency = given.concurrency
        or many and not given.events and LOAD_CONCURRENCY or 1,
      rate = given.rate, speed = given.speed,
      stopped = function()
        return job.failure ~= nil or interrupted()
      end,
      send = function(item)
        return send_one(job, item)
      end,
    }
  end))
end

--- Runs the command.
---@param given table the parsed arguments
---@return true? done
---@return flexhooks.Error? err
function M.run(given)
  local source, err = event_source.read(given)
  local signer
  if source then
    signer, err = settings.signer(given)
  end
  if not signer then
    return nil, err
  end
  return carry_out { given = given, source = source,
    send = sender(given, signer), report = reporter(given, source.single) }
end

return M
