local argparse = require "argparse"
local log = require "flexhooks.cli.log"

describe("cli.log", function()
  local function parse(...)
    local parser = argparse "x"
    log.configure(parser)
    return parser:parse { ... }
  end

  it("makes a logger as the options ask for", function()
    local written
    log.new(parse(), { write = function(_, text)
      written = text
      return true
    end })("info", "here")
    assert.matches("message=here", written)
    assert.is_function(log.new(parse()))
    assert.is_function(log.new(parse("--log-level", "error",
      "--log-format", "json")))
  end)

  it("takes known levels and formats alone", function()
    local parser = argparse "x"
    log.configure(parser)
    assert.is_false((parser:pparse { "--log-level", "loud" }))
    assert.is_false((parser:pparse { "--log-format", "xml" }))
  end)
end)
