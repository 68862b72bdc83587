-- Shared keys that are exchanged while events come; see key_load.lua.
--
--   local load = rotation.start(port)    signs with the key "old"
--   load "old new"                       then with both, for a second
--   rotation.check(load "stop")          nothing was refused
--   rotation.write(path, "old", "new")   a file with both
local assert = require "luassert"
local cjson = require "cjson"
local process = require "spec.support.process"
local socket = require "socket"

local M = {}

local PHASE = 1 -- seconds between two steps

-- A file that is never seen half written.
local function replace(path, text)
  process.write(path .. ".new", text)
  assert(os.execute("chmod 600 " .. path .. ".new"))
  assert(os.rename(path .. ".new", path))
end

function M.write(path, ...)
  local lines = {}
  for i, name in ipairs { ... } do
    lines[i] = ("webhooks_sharedkey_%s=%s secret\n"):format(name, name)
  end
  replace(path, table.concat(lines))
end

function M.start(port)
  local file = process.write(process.folder() .. "/names", "old")
  local child = process.spawn { process.lua, "spec/support/key_load.lua",
    tostring(port), file }
  child:wait_output "began\n"
  return function(names)
    replace(file, names)
    if names == "stop" then
      return cjson.decode(child:wait_output "\n({.*})\n")
    end
    socket.sleep(PHASE)
  end
end

function M.check(counts)
  assert.same({ {}, 0 }, { counts.refused, counts.unanswered })
  assert.is_true(counts.answered.old > 0)
  assert.is_true(counts.answered.new > 0)
  assert.equal(counts.sent, counts.answered.old + counts.answered.new)
end

return M
