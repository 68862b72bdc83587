-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
local app = require "spec.support.nginx_app"
local process = require "spec.support.process"

local function handled(server)
  return tonumber(app.get(server, "/metrics").body
    :match "flexhooks_events_handled_total (%d+)")
end

describe("nginx.counters", function()
  it("counts for the worker that is asked at once", function()
    local server = app.start()
    assert.equal("ok\n", app.get(server, "/healthz").body)
    local metrics = app.get(server, "/metrics")
    assert.matches("^text/plain; version=0.0.4",
      metrics.headers["content-type"])
    assert.equal(0, handled(server))
    for _ = 1, 3 do
      app.post(server)
    end
    app.ask(server, { method = "PUT", target = "/flex/events", headers = {},
      body = "" })
    assert.equal(3, handled(server))
    assert.matches('flexhooks_events_rejected_total{reason="method"} 1',
      app.get(server, "/metrics").body, 1, true)
  end)

  it("adds up what all workers counted, also those that are gone", function()
    local server = app.start { workers = 3 }
    for _ = 1, 30 do
      app.post(server)
    end
    server:reload()
    for _ = 1, 30 do
      app.post(server)
    end
    process.eventually(function()
      return handled(server) == 60
    end, 30, "a count of 60")
  end)

  it("adds what a worker counts while it stops", function()
    local server = app.start()
    local peer = app.begin(server, { Do = "nap" })
    app.begun(server, 1)
    server:reload()
    assert.equal(200, app.answer(peer))
    process.eventually(function()
      return handled(server) == 1
    end, 30, "a count of 1")
  end)

  it("makes do with the worker's own where there is no dictionary", function()
    local server = app.start { http = "", files = {
      ["app.lua"] = app.app:gsub("dict:%a+%b()", ""):gsub(
        "ngx.shared.flexhooks", "nil") } }
    app.post(server)
    assert.equal(1, handled(server))
    assert.matches("lua_shared_dict flexhooks 10m;", server:log(), 1, true)
    local _, times = server:log():gsub("no lua_shared_dict", "")
    assert.equal(1, times)
  end)
end)
