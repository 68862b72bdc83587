--- flexhooks queue: looks into a queue, and decides about dead letters.
-- @module flexhooks.cli.queue

local errors = require "flexhooks.error"
local json = require "flexhooks.json"
local log = require "flexhooks.log"
local output = require "flexhooks.cli.output"
local settings = require "flexhooks.cli.settings"
local tables = require "flexhooks.util.tables"

local M = {}

M.summary = "Look into a queue; replay or discard dead letters."
M.example = [[
export FLEXHOOKS_QUEUE=sqlite:events.db
flexhooks queue stats
flexhooks queue dead --type onChannelCreated
flexhooks queue replay 5c1f7a90d3b24e8a]]

local EXAMPLES = {
  stats = "flexhooks queue stats --json",
  dead = "flexhooks queue dead --reason exhausted --limit 20",
  show = "flexhooks queue show 5c1f7a90d3b24e8a --fixture > fixture.lua",
  replay = "flexhooks queue replay --reason exhausted",
  discard = "flexhooks queue discard 5c1f7a90d3b24e8a",
  tail = "flexhooks queue tail --queue redis://127.0.0.1:6379/0",
}

local function subcommand(parser, name, summary)
  local command = parser:command(name, summary)
  command:epilog("Example:\n   " .. EXAMPLES[name])
  command:option("--queue", "The queue's URL. Default: $FLEXHOOKS_QUEUE.")
    :argname("URL")
  return command
end

local function add_filter(command, limit)
  command:option("--reason", "Only those that died of this."):argname("REASON")
  command:option("--type", "Only events of this type."):argname("EVENT")
  command:option("--source", "Only those from this source."):argname("LABEL")
  command:option("--interaction", "Only those of this interaction.")
    :argname("SID")
  command:option("--limit", "At most so many. Default: " .. limit .. ".")
    :argname("N"):convert(settings.number "--limit")
end

--- Adds the command's arguments to its parser.
function M.configure(parser)
  parser:command_target("operation")
  subcommand(parser, "stats", "Count what is in it.")
    :flag("--json", "Print JSON.")
  local dead = subcommand(parser, "dead", "List dead letters.")
  add_filter(dead, "100")
  dead:flag("--json", "Print JSON.")
  local show = subcommand(parser, "show", "Show one event and its errors.")
  show:argument("id", "The event's id.")
  show:flag("--json", "Print JSON.")
  show:flag("--fixture", "Print a Lua file that returns the event, for tests.")
  for _, name in ipairs { "replay", "discard" } do
    local command = subcommand(parser, name, name == "replay"
      and "Handle dead letters again." or "Delete dead letters for good.")
    command:argument("id", "The letter's id; or say which with the options.")
      :args("?")
    add_filter(command, "all")
  end
  subcommand(parser, "tail", "Print what waits, then what is stored, handled "
    .. "and retried as it happens; ends with Ctrl-C.")
    :flag("--json", "Print JSON, a line for each.")
end

local function stats(queue, given)
  local found, err = queue:stats()
  if not found then
    return nil, err
  elseif given.json then
    output.json(found)
    return true
  end
  output.fields {
    { "ready", found.ready }, { "running", found.running },
    { "delayed", found.delayed }, { "dead", found.dead },
    { "oldest", ("%.0f s"):format(found.oldest_age) },
  }
  local rows = {}
  for _, partition in ipairs(found.partitions) do
    rows[#rows + 1] = { partition.partition, partition.owner }
  end
  if #rows > 1 then
    io.stdout:write("\n")
    output.rows({ "PARTITION", "OWNER" }, rows)
  end
  return true
end

local function time(seconds)
  return seconds and os.date("!%Y-%m-%dT%H:%M:%SZ",
    math.floor(seconds)) or nil
end

local function filter_of(given)
  return { reason = given.reason, type = given.type, source = given.source,
    interaction = given.interaction, limit = given.limit }
end

local function dead(queue, given)
  local letters, err = queue:dead_letters(filter_of(given))
  if not letters then
    return nil, err
  elseif given.json then
    output.json(json.array(letters))
    return true
  end
  local rows = {}
  for i, letter in ipairs(letters) do
    local event = letter.event or {}
    local last = letter.errors[#letter.errors]
    rows[i] = { letter.id, time(letter.received_at), event.EventType,
      event.InteractionSid, letter.attempts, letter.reason,
      last and last.message }
  end
  output.rows({ "ID", "RECEIVED", "EVENT", "INTERACTION", "ATTEMPTS", "REASON",
    "ERROR" }, rows)
  return true
end

-- A value as Lua source. Decimal escapes are read alike by every Lua, and a
-- number has all its digits.
local function source(value, indent)
  if type(value) == "string" then
    return '"' .. value:gsub('[%c"\\\127-\255]', function(c)
      return ("\\%03d"):format(c:byte())
    end) .. '"'
  elseif type(value) ~= "table" then
    return json.encode(value)
  end
  if next(value) == nil and json.encode(value) == "[]" then
    return 'require("flexhooks").json.array {}'
  end
  local lines = {}
  for _, name in ipairs(tables.sorted_keys(value)) do
    local key = type(name) == "number" and name or source(name, "")
    lines[#lines + 1] = ("%s  [%s] = %s,\n"):format(indent, key,
      source(value[name], indent .. "  "))
  end
  return "{\n" .. table.concat(lines) .. indent .. "}"
end

-- Lines stay lines; what else could do something to a terminal is escaped.
local function readable(text)
  return (text:gsub("\t", "  "):gsub("[^\n]+", log.escape))
end

local function show_fields(letter)
  output.fields {
    { "id", letter.id }, { "state", letter.state },
    { "reason", letter.reason }, { "received", time(letter.received_at) },
    { "source", letter.source }, { "attempts", letter.attempts },
    { "parked", letter.parked and "its interaction waits" or nil },
  }
  io.stdout:write("\n")
  local rows = {}
  for name, value in pairs(letter.event or { raw = letter.raw }) do
    rows[#rows + 1] = { name, type(value) == "string" and value
      or output.text(value) }
  end
  table.sort(rows, function(a, b)
    return a[1] < b[1]
  end)
  output.fields(rows)
  for _, failure in ipairs(letter.errors) do
    io.stdout:write("\nattempt ", tostring(failure.attempt), ": ",
      readable(failure.message), "\n", readable(failure.traceback or ""), "\n")
  end
end

local function show(queue, given)
  local letter, err = queue:get(given.id)
  if not letter then
    return nil, err
  elseif given.json then
    output.json(letter)
  elseif given.fixture and letter.event then
    io.stdout:write("return ", source(letter.event, ""), "\n")
  elseif given.fixture then
    return nil, errors.new("malformed", "'" .. given.id .. "' is no event; "
      .. "without --fixture its bytes are shown")
  else
    show_fields(letter)
  end
  return true
end

-- Replays or discards one letter, or those of a filter that says something.
local function decide(queue, given)
  local filter = filter_of(given)
  if given.id == nil and next(filter) == nil then
    return nil, errors.new("argument", "say which: an id, or at least one of "
      .. "--reason, --type, --source, --interaction and --limit")
  end
  local done, err = queue[given.operation](queue, given.id or filter)
  if not done then
    return nil, err
  end
  output.say("%s: %d", given.operation == "replay" and "sent round again"
    or "discarded", done == true and 1 or done)
  return true
end

local OPERATIONS = { stats = stats, dead = dead, show = show,
  replay = decide, discard = decide }

-- An operation on a queue that is there, which is then closed.
local function with(url, given)
  local queue = require("flexhooks").queue(url)
  local done, err = queue:exists()
  if done then
    done, err = OPERATIONS[given.operation](queue, given)
  end
  queue:close()
  return done, err
end

--- Runs the command.
---@param given table the parsed arguments
---@return true? done
---@return flexhooks.Error? err
function M.run(given)
  local url, shown = settings.queue(given)
  if not url then
    return nil, shown or errors.new("config", "no queue: set "
      .. "FLEXHOOKS_QUEUE or --queue to its URL, such as sqlite:events.db")
  elseif given.operation == "tail" then
    return require("flexhooks.cli.tail").run(url, given)
  end
  return with(url, given)
end

return M
