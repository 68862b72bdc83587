-- busted's output: what failed, where and why, then "N passed, N failed" alone
-- on the last line. A pending test counts as failed: nothing is left out
-- silently.
local pretty = require "pl.pretty"

local function indented(text)
  return "  " .. tostring(text):gsub("\n", "\n  ")
end

local function text_of(message)
  if message == nil then
    return "(no message)"
  end
  local meta = getmetatable(message)
  if type(message) == "table" and not (meta and meta.__tostring) then
    return pretty.write(message)
  end
  return tostring(message)
end

return function()
  local busted = require "busted"
  local handler = require "busted.outputHandlers.base"()
  local failed = 0

  local function show(entry)
    failed = failed + 1
    local trace = entry.element.trace or entry.trace or {}
    io.write(("FAIL %s:%s: %s\n"):format(trace.short_src or "?",
      trace.currentline or "?", entry.name or "?"))
    io.write(indented(text_of(entry.message)), "\n")
    if entry.isError and entry.trace and entry.trace.traceback then
      io.write(indented(entry.trace.traceback), "\n")
    end
    io.flush()
  end

  local function test_end(_, _, status)
    if status == "failure" then
      show(handler.failures[#handler.failures])
    elseif status == "error" then
      show(handler.errors[#handler.errors])
    elseif status == "pending" then
      local entry = handler.pendings[#handler.pendings]
      entry.message = "pending: " .. text_of(entry.message)
      show(entry)
    end
    return nil, true
  end

  local function outside_test(element)
    if element.descriptor ~= "it" then
      show(handler.errors[#handler.errors])
    end
    return nil, true
  end

  local function suite_end()
    io.write(("%d passed, %d failed\n"):format(handler.successesCount, failed))
    io.flush()
    return nil, true
  end

  busted.subscribe({ "test", "end" }, test_end)
  busted.subscribe({ "error" }, outside_test)
  busted.subscribe({ "failure" }, outside_test)
  busted.subscribe({ "suite", "end" }, suite_end)
  return handler
end
