-- What every spec file runs under (busted --helper): when a file has ended,
-- its processes are stopped, everything it can no longer reach is collected,
-- and a handle or a file descriptor that is left fails the file.
--
-- FLEXHOOKS_TEST_GC=aggressive keeps the collector running all the time, so
-- that a value that is not anchored is gone at once. FLEXHOOKS_TEST_LOCALE is
-- the locale that everything runs in.
local busted = require "busted"
local lfs = require "lfs"
local process = require "spec.support.process"

if os.getenv "FLEXHOOKS_TEST_GC" == "aggressive" then
  collectgarbage("setpause", 0)
  collectgarbage("setstepmul", 10000)
end

local locale = os.getenv "FLEXHOOKS_TEST_LOCALE"
assert(not locale or os.setlocale(locale), "no such locale")

-- descriptor -> what it is open on. The one that lists them is not among them.
local function descriptors()
  local open = {}
  for name in lfs.dir("/proc/self/fd") do
    local target = name:match "^%d+$"
      and lfs.symlinkattributes("/proc/self/fd/" .. name, "target")
    if target and not target:find "^/proc/%d+/fd$" then
      open[name] = target
    end
  end
  return open
end

-- The tests' functions keep what the file held in its locals.
local function forget(element)
  for _, child in ipairs(busted.children(element)) do
    forget(child)
  end
  element.run = function() end
  for key in pairs(element.env or {}) do
    element.env[key] = nil
  end
  for _, kind in ipairs { "before_each", "after_each", "lazy_setup",
    "lazy_teardown", "strict_setup", "strict_teardown" } do
    element[kind] = nil
  end
end

-- Compiled traces keep the closures that they inlined.
local jit = rawget(_G, "jit")
local flush = jit and jit.flush or function() end

local function collect()
  flush()
  for _ = 1, 4 do
    collectgarbage "collect"
  end
end

-- Modules that a file loaded go with it; the counters of the shared objects
-- were read through `live`, which outlives them.
local function unload()
  local counters = {}
  for name, module in pairs(package.loaded) do
    if type(name) == "string" and name:find "^flexhooks" then
      if type(module) == "table" then
        counters[#counters + 1] = rawget(module, "live")
      end
      package.loaded[name] = nil
    end
  end
  return counters
end

local before

busted.subscribe({ "file", "start" }, function()
  collect()
  before = descriptors()
  return nil, true
end)

local function complaints(counters)
  local list = {}
  for _, live in ipairs(counters) do
    if live() > 0 then
      list[#list + 1] = live() .. " handles are still open"
    end
  end
  for number, target in pairs(descriptors()) do
    if before[number] ~= target then
      list[#list + 1] = "descriptor " .. number .. " is open on " .. target
    end
  end
  return list
end

busted.subscribe({ "file", "end" }, function(file)
  process.stop_all()
  local counters = unload()
  forget(file)
  collect()
  local left = complaints(counters)
  if #left > 0 then
    busted.publish({ "failure", "file" }, file, busted.parent(file),
      "left behind: " .. table.concat(left, "; "),
      { short_src = file.name, currentline = 1 })
  end
  return nil, true
end)
