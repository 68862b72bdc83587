--- What nginx.conf calls the things that flexhooks uses.
-- @module flexhooks.runtime.nginx.configuration

local errors = require "flexhooks.error"
local options = require "flexhooks.util.options"
local resty = require "flexhooks.runtime.nginx.resty"

local M = {}

---@class flexhooks.nginx.Settings
---@field shared_dict string? for duplicates and metrics of all workers
---@field thread_pool string? for outgoing calls
---@field threads integer? of that pool
---@field transport "auto"|"thread"|"resty"|nil which way outgoing calls take

local SPEC = {
  shared_dict = { type = "string", default = "flexhooks" },
  thread_pool = { type = "string", default = "default" },
  threads = { type = "integer", min = 1, max = 1024, default = 8 },
  transport = { type = "string", default = "auto",
    one_of = { "auto", "thread", "resty" } },
}

local current = options.check("flexhooks.nginx.configure", SPEC, {})
local warned = false

-- What was asked for by name must be there when nginx starts.
local function check_library()
  local library, why = resty.library()
  if not library then
    errors.raise(3, "flexhooks.nginx.configure: transport 'resty' needs "
      .. "lua-resty-http (opm get ledgetech/lua-resty-http), in "
      .. "lua_package_path: " .. why, "config")
  end
end

--- Sets names and numbers.
---@param given flexhooks.nginx.Settings
function M.set(given)
  local settings = options.check("flexhooks.nginx.configure", SPEC, given)
  if settings.transport == "resty" then
    check_library()
  end
  current = settings
end

--- The current values.
---@return table
function M.get()
  return current
end

--- The shared dictionary, or nil where nginx.conf declares none: then each
-- worker counts and compares for itself, which is said once.
---@return table?
function M.shared_dict()
  local dict = ngx.shared[current.shared_dict]
  if not dict and not warned then
    warned = true
    ngx.log(ngx.WARN, "flexhooks: no lua_shared_dict ", current.shared_dict,
      ": duplicates that reach different workers are not noticed, and ",
      "metrics are per worker; declare it in http{}: lua_shared_dict ",
      current.shared_dict, " 10m;")
  end
  return dict
end

return M
