-- Clients of the simulated API without sockets: what is sent is judged by the
-- simulator's own code.
local api = require "spec.support.simulated_api"

local M = {}

--- A client, and the service that it calls. `options` override the client's.
function M.new(options)
  local service = api.new()
  local given = { account_sid = api.account_sid, auth_token = "token",
    base_url = "http://127.0.0.1:4010", transport = {
      send = function(_, request)
        local path, query = request.url:match "^http://[^/]+([^?]*)%??(.*)$"
        return service.api:handle {
          method = request.method, path = path, query = query,
          body = request.body or "", origin = "http://127.0.0.1:4010",
          authorization = request.headers.Authorization,
          content_type = request.headers["Content-Type"],
        }
      end,
    } }
  for name, value in pairs(options or {}) do
    given[name] = value or nil
  end
  return require("flexhooks").client(given), service
end

return M
