-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
local app = require "spec.support.nginx_app"
local sids = require "spec.data.sids"

describe("nginx.log", function()
  it("writes types and SIDs with the request, never what an event says",
    function()
      local server = app.start { log_level = "info" }
      app.post(server, { Secret = "payload-value", Do = "fail" })
      local log = server:log()
      assert.not_matches("payload-value", log, 1, true)
      assert.not_matches("a-token-of-ours", log, 1, true)
      assert.matches("%[info%].*flexhooks: handled "
        .. ".*EventType=onParticipantJoined"
        .. ".*InteractionSid=" .. sids.interaction
        .. ".*POST /flex/events HTTP/1.1", log)
      assert.matches("%[error%].*flexhooks: an event was not handled", log)
    end)
end)
