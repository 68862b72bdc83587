-- In a Turkish process parameters of the API began with a small letter and
-- headers with an `I` in their names were not found; where numbers have a
-- comma, parameters and measurements had it too. So what decides and what is
-- put on the wire is tried again, in processes with such locales.
local locales = require "spec.support.locales"
local process = require "spec.support.process"

local LOCALES = { "de_DE.UTF-8", "tr_TR.UTF-8", "tr_TR.ISO-8859-9" }

local AGAIN = { "core/signature", "core/key", "core/form", "flexhooks/json",
  "flexhooks/log", "flexhooks/metrics", "flexhooks/receiver",
  "flexhooks/receiver/reading", "flexhooks/receiver/request",
  "flexhooks/resources/parameters", "flexhooks/resources/resource",
  "flexhooks/session/answer", "flexhooks/session/encode",
  "flexhooks/session/settings", "flexhooks/signature",
  "flexhooks/signature/delivery", "flexhooks/url" }

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

  for _, locale in ipairs(LOCALES) do
    it(locale .. " decides and writes as any other", function()
      local status, out, err = run(locale)
      assert(status == 0, out .. err)
      assert.is_true(tonumber(out:match "(%d+) passed, 0 failed\n$") > 500)
    end)
  end
end)
