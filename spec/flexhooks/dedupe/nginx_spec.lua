-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
local app = require "spec.support.nginx_app"
local process = require "spec.support.process"
local system = require "system"

local ONE = "https://h.example/flex/one"

describe("dedupe.nginx", function()
  it("are shared: a re-delivery to another worker is a duplicate", function()
    local server = app.start { workers = 4 }
    local pids = {}
    for i = 1, 60 do
      local same = app.post(server, { N = "same" },
        { idempotency_token = "0000-same" })
      assert.equal(200, same.status)
      app.post(server, { N = tostring(i) })
      pids[app.value(server, "pid")] = true
    end
    assert.is_not_nil(next(pids, next(pids)), "one worker took everything")
    assert.equal("61", app.value(server, "handled"))
  end)

  it("are shared: twins are handled once, equal events as often as they come",
    function()
      local server = app.start { workers = 4 }
      for _ = 1, 30 do
        app.post(server)
        app.post(server, nil, { url = ONE })
      end
      assert.equal("30", app.value(server, "handled"))
      for _ = 1, 5 do
        app.post(server, { N = "2" })
      end
      for _ = 1, 5 do
        app.post(server, { N = "2" }, { url = ONE })
      end
      assert.equal("35", app.value(server, "handled"))
    end)

  for name, more in pairs {
    ["re-delivery"] = { idempotency_token = "1" }, twin = { url = ONE },
  } do
    it("let a " .. name .. " wait for the first one's success", function()
      local server = app.start { workers = 2 }
      local first = app.begin(server, { Do = "nap" },
        { idempotency_token = "1" })
      app.begun(server, 1)
      local second = app.begin(server, { Do = "nap" }, more)
      assert.equal(200, app.answer(second))
      assert.equal("1", app.value(server, "handled"))
      assert.equal(200, app.answer(first))
    end)

    it("let a " .. name .. " run where the first one failed", function()
      local server = app.start { workers = 2 }
      local first = app.begin(server, { Do = "nap and fail" },
        { idempotency_token = "1" })
      app.begun(server, 1)
      local second = app.begin(server, { Do = "nap and fail" }, more)
      assert.equal(500, app.answer(first))
      assert.equal(500, app.answer(second))
      assert.equal("2", app.value(server, "handled"))
    end)
  end

  it("know their outcome for as long as they count", function()
    local server = app.start { server = [[
      location = / { content_by_lua_block {
        local dict = ngx.shared.flexhooks
        local text = ""
        for _, rule in ipairs { { window = 1, twin_window = 90 },
          { window = 90, twin_window = 1 } } do
          local claims = require("flexhooks.dedupe.nginx").new(dict, rule, 1)
          claims:settle(claims:claim("1", "2", "a", 1), true)
          ngx.sleep(0.1)
          text = text .. tostring(dict:ttl("ledger:" .. claims.ledger.id) > 90)
          dict:flush_all()
        end
        ngx.header.content_length = #text
        ngx.print(text)
      } }]] }
    assert.equal("truetrue", app.get(server, "/").body)
  end)

  -- A claim may be open for two seconds here.
  it("begin their time anew after they waited for a twin", function()
    local server = app.start { server = [[
      location = / { content_by_lua_block {
        local claims = require("flexhooks.dedupe.nginx").new(
          ngx.shared.flexhooks, { window = 90, twin_window = 90 }, -3)
        local first = claims:claim("1", "form", "a", 1)
        local waiting = ngx.thread.spawn(function()
          return claims:claim("2", "form", "b", 3)
        end)
        ngx.sleep(1.1)
        claims:settle(first, false)
        local _, second = ngx.thread.wait(waiting)
        ngx.sleep(1)
        local early, err = claims:claim("2", nil, "b", 0.05)
        ngx.sleep(1)
        local late = claims:claim("2", nil, "b", 0.05)
        local text = ("%s %s %s %s"):format(second and second.token,
          tostring(early), err and err.kind, late and late.token)
        ngx.header.content_length = #text
        ngx.print(text)
      } }]] }
    assert.equal("2 nil timeout 2", app.get(server, "/").body)
  end)

  it("are not made while another worker looks at the same twins", function()
    local server = app.start { server = [[
      location = / { content_by_lua_block {
        local host = require "flexhooks.runtime.nginx.runtime"
        local dict = ngx.shared.flexhooks
        local claims = require("flexhooks.dedupe.nginx").new(dict,
          { window = 90, twin_window = 90 }, 5)
        dict:set("lock:form", true)
        local deadline = host.enter(host.clock() + 0.1)
        local claim, err = claims:claim("1", "form", "a", 5)
        host.leave(deadline)
        dict:delete "lock:form"
        local again = claims:claim("1", "form", "a", 0.1)
        local text = ("%s %s %s %s"):format(tostring(claim), err and err.kind,
          again and again.token, again and again.twin)
        ngx.header.content_length = #text
        ngx.print(text)
      } }]] }
    assert.equal("nil timeout 1 twin:form:1", app.get(server, "/").body)
  end)

  it("of what a worker handled while it stopped hold", function()
    local server = app.start()
    local token = { idempotency_token = "1" }
    local first = app.begin(server, { Do = "nap" }, token)
    app.begun(server, 1)
    server:reload()
    assert.equal(200, app.answer(first))
    assert.equal(200, app.post(server, { Do = "nap" }, token).status)
    assert.equal("1", app.value(server, "handled"))
  end)

  it("of what a killed worker had handled hold", function()
    local server = app.start()
    local tokens = { { idempotency_token = "1" }, { idempotency_token = "2" } }
    -- The second ends while the first, which is older, is being handled.
    local lost = app.begin(server, { Do = "oversleep" }, tokens[1])
    app.begun(server, 1)
    assert.equal(200, app.post(server, { N = "2" }, tokens[2]).status)
    os.execute("kill -KILL " .. server:workers()[1])
    lost:close()
    process.eventually(function()
      local done, answer = pcall(app.post, server, { N = "2" }, tokens[2])
      return done and answer.status == 200
    end, 30, "the next worker")
    assert.equal("2", app.value(server, "handled"))
  end)

  it("of a killed worker expire", function()
    local server = app.start()
    local token = { idempotency_token = "1" }
    local lost = app.begin(server, { Do = "oversleep" }, token)
    app.begun(server, 1)
    os.execute("kill -KILL " .. server:workers()[1])
    lost:close()
    process.eventually(function()
      system.sleep(1)
      return app.post(server, { Do = "oversleep" }, token).status == 500
    end, 30, "the claim's end")
    assert.equal("2", app.value(server, "handled"))
  end)
end)
