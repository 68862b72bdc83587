-- Deliveries as flexhooks.signature takes them, signed as they deserve.
local M = {}

M.TOKEN = "0123456789abcdef0123456789abcdef"
M.URL = "https://company.com/flex/events"
M.PARAMS = {
  EventType = "onParticipantJoined",
  From = "+14158675309",
  Body = "Hello there ",
  Empty = "",
  ["Media[]"] = { "b", "a" },
}

--- A copy of `base` with `changes`.
function M.with(base, changes)
  return require("flexhooks.util.tables").merged(base, changes)
end

--- A delivery of PARAMS, or of a body, with its signature.
function M.delivery(changes)
  local request = M.with({ auth_token = M.TOKEN, url = M.URL }, changes)
  if not request.body then
    request.params = request.params or M.PARAMS
  end
  request.signature, request.url =
    require("flexhooks.signature").sign(request)
  return request
end

--- That f raises an error about its arguments.
function M.raised(pattern, f, ...)
  local good, err = pcall(f, ...)
  assert(not good, "nothing was raised")
  assert(tostring(err):find(pattern), tostring(err))
  assert(err.kind == "argument", err.kind)
end

return M
