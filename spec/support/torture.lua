-- Specs that have a long version: spec/torture runs it, and is told how far it
-- is and what came of it.
--
--   torture.long                     is this one?
--   torture.times(short)             how often: that, or $TORTURE
--   torture.progress(what, n, all, more)
--   torture.row(what, times, verdict)   one of the table, as crash.verdict is
--   torture.say(text)
local M = {}

local LUA = rawget(_G, "jit") and "luajit" or "lua" .. _VERSION:match "[%d.]+"
local ROW = "| %-6s | %-34s | %7s | %12s | %8s | %8s | %6s | %4s | %12s |"

local times = tonumber(os.getenv "TORTURE")

M.long = times ~= nil

function M.times(short)
  return times or short
end

-- The file goes from spec to spec; without one this is what the spec prints.
local function write(text)
  local path = os.getenv "FLEXHOOKS_TEST_REPORT"
  local file = path and assert(io.open(path, "a")) or io.stdout
  file:write(text, "\n")
  if path then
    file:close()
  end
end

function M.say(text)
  write(("%s  %s  %s"):format(os.date "%H:%M:%S", LUA, text))
end

--- Tells, twenty times in a long version, how far it is.
function M.progress(what, n, all, more)
  if M.long and all >= 20 and n % math.ceil(all / 20) == 0 then
    M.say(("%s: %d of %d%s"):format(what, n, all, more or ""))
  end
end

function M.row(what, n, v)
  write(ROW:format(LUA, what, n, v.acknowledged, v.handled, v.repeated,
    v.late, v.lost, v.disordered))
end

return M
