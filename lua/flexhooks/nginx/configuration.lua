--- What nginx.conf calls the things that flexhooks uses.
-- @module flexhooks.nginx.configuration

local options = require "flexhooks.options"

local M = {}

---@class flexhooks.nginx.Settings
---@field shared_dict string? for duplicates and metrics of all workers
---@field thread_pool string? for outgoing calls
---@field threads integer? of that pool

local SPEC = {
  shared_dict = { type = "string", default = "flexhooks" },
  thread_pool = { type = "string", default = "default" },
  threads = { type = "integer", min = 1, max = 1024, default = 8 },
}

local current = options.check("flexhooks.nginx.configure", SPEC, {})
local warned = false

--- Sets names and numbers.
---@param given flexhooks.nginx.Settings
function M.set(given)
  current = options.check("flexhooks.nginx.configure", SPEC, given)
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
