-- Applies spec/data/hooks.lua, pruning, and dies by SIGKILL at its N-th
-- request: at odd N before it is sent, at even N when it has been answered.
--
--   lua spec/support/apply_killed.lua BASE_URL N
local core = require "flexhooks.core"
local flexhooks = require "flexhooks"
local runtime = require "flexhooks.runtime.current"
local simulator = require "spec.support.simulator"

local base_url, fatal = arg[1], tonumber(arg[2])
local real = runtime.transport {}
local moments = 0

local function pass()
  moments = moments + 1
  if moments == fatal then
    os.execute("kill -KILL " .. core.pid())
  end
end

local client = flexhooks.client {
  account_sid = simulator.account_sid, auth_token = simulator.auth_token,
  base_url = base_url,
  transport = { send = function(_, request)
    pass()
    local answer, err = real:send(request)
    pass()
    return answer, err
  end },
}

local hooks = dofile "spec/data/hooks.lua"
local plan = assert(flexhooks.plan(client, hooks, { prune = true }))
assert(plan:apply())
