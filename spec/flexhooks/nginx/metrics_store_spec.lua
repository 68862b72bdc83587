-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
local app = require "spec.support.nginx_app"
local process = require "spec.support.process"

local function handled(server)
  return tonumber(app.get(server, "/metrics").body
    :match "flexhooks_events_handled_total (%d+)")
end

describe("nginx.metrics_store", function()
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

  -- Runs code in a request, where `mine` are counters in a dictionary of 64
  -- KiB, and `told` is what they say in the end.
  local function run(code)
    local server = app.start { http = app.http
      .. "lua_shared_dict small 64k;", server = [[
      location = / { content_by_lua_block {
        local dict = ngx.shared.small
        local mine = require("flexhooks.nginx.metrics_store").new(dict)
        ]] .. code .. [[
        local told = {}
        for _, key in ipairs(mine:get_keys()) do
          told[#told + 1] = key .. "=" .. tostring(mine:get(key))
        end
        table.sort(told)
        local text = table.concat(told, " ")
        ngx.header.content_length = #text
        ngx.print(text)
      } }]] }
    return app.get(server, "/").body
  end

  it("keeps them while a full dictionary drops other entries", function()
    assert.equal("a|=1 b|=2", run [[
      mine.values["a|"], mine.values["b|"] = 1, 2
      for round = 1, 10 do
        mine:get_keys()
        for i = 1, 100 do
          dict:set(round .. "," .. i, ("x"):rep(20))
        end
      end
      assert(not dict:get "1,1")]])
  end)

  it("lists them again if the list was dropped", function()
    assert.equal("a|=1 b|=2 c|=3", run [[
      mine.values["a|"], mine.values["b|"] = 1, 2
      mine:get_keys()
      dict:delete "counters"
      mine.values["c|"] = 3]])
  end)

  it("adds later what a full dictionary refuses", function()
    assert.equal("a|=3", run [[
      local refusing = true
      mine.dict = setmetatable({ incr = function(_, ...)
        if refusing then
          return nil, "no memory", false
        end
        return dict:incr(...)
      end }, { __index = function(_, name)
        return function(_, ...)
          return dict[name](dict, ...)
        end
      end })
      mine.values["a|"] = 1
      mine:get_keys()
      mine.values["a|"] = mine.values["a|"] + 2
      refusing = false]])
  end)
end)
