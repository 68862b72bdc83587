-- In a Turkish process parameters of the API began with a small letter and
-- headers with an `I` in their names were not found; where numbers have a
-- comma, parameters and measurements had it too. So what decides and what is
-- put on the wire is tried again, in processes with such locales.
local locales = require "spec.support.locales"
local process = require "spec.support.process"
local scripted = require "spec.support.scripted"

local LOCALES = { "de_DE.UTF-8", "tr_TR.UTF-8" }

local AGAIN = { "core/util_form", "flexhooks/metrics", "flexhooks/receiver",
  "flexhooks/receiver/request", "flexhooks/client/resources/parameters",
  "flexhooks/client/response", "flexhooks/client/encode",
  "flexhooks/signature", "flexhooks/url" }

describe("a process whose locale is", function()
  local folder

  setup(function()
    folder = locales.make(LOCALES)
  end)

  -- What this process itself is run under is on PATH already.
  local function run(locale)
    local command = { "spec/run" }
    for _, name in ipairs(AGAIN) do
      command[#command + 1] = "spec/" .. name .. "_spec.lua"
    end
    return process.run(command, { timeout = 240, env = { RUN_LUA = false,
      LUAS = process.lua, LOCPATH = folder, FLEXHOOKS_TEST_LOCALE = locale } })
  end

  it("de_DE.UTF-8 writes a point in a header's number", function()
    local server = scripted.start { scripted.answer(200, "") }
    local _, out, err = process.run({ process.lua, "-e", ([[
      assert(os.setlocale "de_DE.UTF-8")
      assert(require("flexhooks").http(%q, { headers = { N = 2.5 } }))
    ]]):format(server.url) }, { env = { LOCPATH = folder } })
    assert.equal("", out .. err)
    assert.equal("2.5", server:requests()[1].headers.n)
  end)

  for _, locale in ipairs(LOCALES) do
    it(locale .. " decides and writes as any other", function()
      local status, out, err = run(locale)
      assert(status == 0, out .. err)
      assert.is_true(tonumber(out:match "(%d+) passed, 0 failed\n$") > 500)
    end)
  end
end)
