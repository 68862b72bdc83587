-- Calls over kept connections, `width` tasks at once, for `seconds`.
local core = require "flexhooks.core"
local flexhooks = require "flexhooks"

local name, seconds, width, url = arg[1], tonumber(arg[2]), tonumber(arg[3]),
  arg[4]

local transport = require("flexhooks.runtime.current").transport {
  max_connections = width }
local secret = assert(core.basic("AC", core.secret "token"))

local headers = { Accept = "application/json" }

local begun, number, done, over = flexhooks.clock(), 0, 0, false

local function caller()
  while not over do
    number = number + 1
    local response = assert(transport:send { method = "GET",
      url = url .. "/" .. number, headers = headers, authorization = secret,
      timeout = 30 })
    assert(response.status == 200)
    done = done + 1
  end
end

flexhooks.run(function()
  for _ = 1, width do
    flexhooks.spawn(caller)
  end
  flexhooks.sleep(seconds)
  over = true
end)

print(("32 calls at once\t%s\t%.0f\tcalls/s"):format(name,
  done / (flexhooks.clock() - begun)))
