-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
local app = require "spec.support.nginx_app"
local sids = require "spec.data.sids"

describe("runtime.nginx.log", function()
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

  it("cuts what nginx would cut without a mark", function()
    local server = app.start { log_level = "warn" }
    app.post(server, { Do = "log" })
    local line = server:log():match "[^\n]*flexhooks: mmm[^\n]*"
    assert.matches("flexhooks: " .. ("m"):rep(1024)
      .. "... (1047552 bytes more) ", line, 1, true)
    assert.matches(" b=1 .*fields_cut=1,", line)
    assert.matches("POST /flex/events HTTP/1.1", line, 1, true)
    assert.is_true(#line < 2048)
  end)
end)
