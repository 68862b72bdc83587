-- The applications that bench/nginx.sh compares.
local flexhooks = require "flexhooks"

local function application(path, dedupe)
  local router = flexhooks.router()
  router:on("onParticipantJoined", { ParticipantType = "agent" },
    function() end)
  return {
    router = router, auth_token = "12345", dedupe = dedupe,
    public_url = "https://h.example" .. path,
  }
end

return {
  plain = application("/plain", false),
  default = application "/default",
}
