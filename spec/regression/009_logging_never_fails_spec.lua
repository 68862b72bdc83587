-- A log line failed the event it was about: where a value could not be made
-- text, where fields were no table, or where the router's logger raised.
local flexhooks = require "flexhooks"
local log = require "flexhooks.log"
local testing = require "flexhooks.testing"

local rude = setmetatable({}, { __tostring = function()
  error "never"
end })

describe("logging in a handler", function()
  it("survives values that cannot be shown", function()
    local lines = {}
    local output = { write = function(self, line)
      lines[#lines + 1] = line
      return self
    end }
    for _, format in ipairs { "logfmt", "json" } do
      local logger = log.stderr { format = format, output = output }
      logger("info", "x", { v = rude })
    end
    assert.equal(2, #lines)
    for _, line in ipairs(lines) do
      assert.matches("a table that cannot be shown", line, 1, true)
    end
  end)

  it("keeps a line's own names apart from fields of the same name", function()
    local lines = {}
    local output = { write = function(self, line)
      lines[#lines + 1] = line
      return self
    end }
    log.stderr { format = "json", output = output }("warn", "x",
      { level = "debug", message = "y", time = 0 })
    local _, levels = lines[1]:gsub('"level":', "")
    assert.equal(1, levels)
    assert.matches('"level_":"debug"', lines[1], 1, true)
  end)

  it("takes one value where a table of fields was meant", function()
    local logged = {}
    local router = flexhooks.router { logger = function(_, _, fields)
      logged[#logged + 1] = fields.value
    end }
    router:on("*", function(_, context)
      context.log("info", "one", 5)
      context.log("info", "two", "x")
      context.log("info", "three")
    end)
    assert(router:dispatch(testing.event "onChannelCreated"))
    assert.same({ 5, "x" }, logged)
  end)

  it("does not fail where the logger does", function()
    local router = flexhooks.router { logger = function()
      error "disk full"
    end }
    router:on("*", function(_, context)
      context.log("info", "x")
    end)
    assert(router:dispatch(testing.event "onChannelCreated"))
  end)
end)
