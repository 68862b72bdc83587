-- docs/server.md names every setting, limit and metric, and no other; its
-- application file is one.
local apps = require "flexhooks.app"
local flexhooks = require "flexhooks"
local metrics = require "flexhooks.metrics"
local process = require "spec.support.process"

local PAGE = process.read "docs/server.md"

-- The first cells of the table under a heading, their names one by one.
local function names_under(heading)
  local names = {}
  local section = PAGE:match("\n## " .. heading .. "\n(.-)\n## ")
  for cell in section:gmatch "\n| (`.-) |" do
    for name in cell:gmatch "`([%l_]+)`" do
      names[name] = true
    end
  end
  return names
end

describe("docs/server.md", function()
  it("shows an application file that loads", function()
    local code = PAGE:match "a router, or one table:\n\n```lua\n(.-)```"
    local path = process.write(process.folder() .. "/app.lua", code)
    local app = assert(apps.load("flexhooks.serve", path, {}))
    assert.same({ "onChannelCreated" }, app.settings.router:subscribed())
  end)

  it("names the settings that there are", function()
    local named = names_under "The application file"
    for name in pairs(named) do
      assert(apps.SETTINGS[name], "no setting " .. name)
    end
    -- Those of a worker alone are on its page.
    for _, name in ipairs { "max_attempts", "backoff", "on_exhausted", "lease",
      "limits" } do
      named[name] = true
    end
    for name in pairs(apps.SETTINGS) do
      assert(named[name], name .. " is not on the page")
    end
  end)

  it("names limits that there are", function()
    local count = 0
    for name in pairs(names_under "Limits") do
      count = count + 1
      assert(apps.load("flexhooks.serve", { router = flexhooks.router(),
        limits = { [name] = 1 } }, {}))
    end
    assert.equal(15, count)
  end)

  it("names metrics that there are", function()
    local m, queue = metrics.new(), flexhooks.queue "memory:"
    m:watch(queue)
    m:gauge("in_flight", function()
      return 1
    end)
    m:gauge("connections", function()
      return 1
    end)
    local text = m:render()
    queue:close()
    for name in PAGE:gmatch "`(flexhooks_[%l_]+)" do
      assert(text:find("# TYPE " .. name .. " ", 1, true), name)
    end
  end)
end)
