--- flexhooks doctor: does everything fit together, from the account to the
-- handlers?
-- @module flexhooks.cli.doctor

local account = require "flexhooks.cli.doctor.account"
local application = require "flexhooks.cli.doctor.application"
local apps = require "flexhooks.app"
local errors = require "flexhooks.error"
local interrupt = require "flexhooks.cli.interrupt"
local json = require "flexhooks.json"
local output = require "flexhooks.cli.output"
local receiver = require "flexhooks.cli.doctor.receiver"
local settings = require "flexhooks.cli.settings"
local shared_keys = require "flexhooks.signature.shared_keys"
local signing = require "flexhooks.cli.doctor.signing"
local tables = require "flexhooks.util.tables"
local webhook_url = require "flexhooks.url.webhook"
local webhooks = require "flexhooks.cli.doctor.webhooks"

local M = {}

M.summary = "Check the set-up from end to end, and say what to do."
M.example = [[
flexhooks doctor app.lua
flexhooks doctor --url https://company.com/flex/events --json]]

--- Adds the command's arguments to its parser.
function M.configure(parser)
  parser:argument("app", "The application file: its URL, handlers and queue "
    .. "are checked too."):args("?")
  parser:option("--url", "The receiver's public URL. Default: the "
    .. "application's, or $FLEXHOOKS_PUBLIC_URL."):argname("URL")
  parser:flag("--json", "Print JSON.")
  settings.configure(parser)
  settings.configure_shared_keys(parser)
end

-- Takes what is found; a person sees it at once.
local Report = {}
Report.__index = Report

local function new_report(given)
  return setmetatable({ checks = {}, quiet = given.json, counts = {
    pass = 0, warn = 0, fail = 0, skip = 0 } }, Report)
end

---@param name string what was looked at
---@param status "pass"|"warn"|"fail"|"skip"
---@param message string
---@param advice string? what to do; not for what passed. Passwords of URLs
-- are hidden in both
function Report:add(name, status, message, advice)
  message = webhook_url.shown(message)
  advice = status ~= "pass" and advice and webhook_url.shown(advice) or nil
  self.checks[#self.checks + 1] = { name = name, status = status,
    message = message, advice = advice }
  self.counts[status] = self.counts[status] + 1
  if not self.quiet then
    output.check(status, name, message, advice)
  end
end

local function load_application(report, given)
  if not given.app then
    return nil
  end
  local ok, app, err = pcall(apps.load, "flexhooks doctor", given.app, {},
    { typed = { public_url = given.url } })
  if not ok then
    app, err = nil, app
  end
  if not app then
    report:add("application", "fail", errors.is(err) and err.message
      or tostring(err), "flexhooks serve would not start either")
    return nil
  end
  report:add("application", "pass", given.app)
  return app.settings
end

-- Every URL at which events are taken, the public one first.
local function urls_of(given, app)
  local url = given.url or app and app.public_url
    or settings.env "FLEXHOOKS_PUBLIC_URL"
  local urls, others = { url }, {}
  for source in pairs(app and app.sources or {}) do
    if source ~= url then
      others[#others + 1] = source
    end
  end
  table.sort(others)
  for _, other in ipairs(others) do
    urls[#urls + 1] = other
  end
  return urls
end

-- The token that signs the test event: the application's, where it is a text,
-- is what its receiver believes.
local function token_of(given, app)
  if given.auth_token_file then
    return (settings.auth_token(given))
  end
  local own = app and app.auth_token
  if own == false then
    return nil
  end
  own = type(own) == "table" and own[1] or own
  return type(own) == "string" and own or settings.env "TWILIO_AUTH_TOKEN"
end

-- The shared keys that the receiver has: those that were typed, the
-- application's, or the environment's.
local function shared_keys_of(report, given, app)
  local keys, wrong
  if given.shared_keys_file or not app then
    keys, wrong = settings.shared_keys(given)
  else
    keys, wrong = shared_keys.find(app)
  end
  if not keys then
    report:add("shared keys", "fail", tostring(wrong),
      "flexhooks serve would not start either")
  end
  return keys or {}
end

-- What test events are signed with: the token, every key that is configured,
-- and those that a function knows and a rule names.
local function signers_of(token, keys, named)
  local signers = {}
  signers[1] = token and { auth_token = token }
  local by_id = tables.merged(named)
  for id, key in pairs(type(keys) == "table" and keys or {}) do
    by_id[id] = { shared_key_id = id, shared_key = key.secret,
      algorithm = key.algorithm }
  end
  for _, id in ipairs(tables.sorted_keys(by_id)) do
    signers[#signers + 1] = by_id[id]
  end
  return signers
end

local function check_webhooks(report, client, urls, app)
  if not client then
    report:add("webhooks", "skip", "the API was not reached")
    return
  end
  local here = webhooks.check(report, client, urls, app and app.methods)
  if here and app and app.router then
    application.check_handlers(report, app.router, here)
  end
end

local function examine(report, given)
  local client = account.check(report, given)
  local app = load_application(report, given)
  local urls = urls_of(given, app)
  if #urls == 0 then
    report:add("public URL", "fail", "none is configured",
      "set FLEXHOOKS_PUBLIC_URL to the URL that is registered, or give --url")
  else
    check_webhooks(report, client, urls, app)
  end
  local keys = shared_keys_of(report, given, app)
  local named = client and signing.check(report, client, urls, keys,
    app and app.auth_token)
  local signers = signers_of(token_of(given, app), keys, named)
  for _, url in ipairs(urls) do
    receiver.check(report, url, signers, app and app.methods)
  end
  if app and app.queue then
    application.check_queue(report, app.queue)
  end
  if client then
    client:close()
  end
end

local function conclude(report, given, interrupted)
  local counts = report.counts
  if given.json then
    output.json { ok = counts.fail == 0 and not interrupted,
      checks = json.array(report.checks) }
  else
    print(("%d passed, %d warned, %d failed, %d skipped"):format(counts.pass,
      counts.warn, counts.fail, counts.skip))
  end
  if interrupted then
    return nil, errors.new("cancelled", "interrupted")
  end
  return counts.fail == 0 or nil
end

--- Runs the command.
---@param given table the parsed arguments
---@return true? done
---@return flexhooks.Error? err
function M.run(given)
  local report = new_report(given)
  local interrupted = interrupt.run(function(interrupted)
    examine(report, given)
    return interrupted()
  end)
  return conclude(report, given, interrupted)
end

return M
