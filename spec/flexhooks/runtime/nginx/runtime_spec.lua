-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
local app = require "spec.support.nginx_app"
local process = require "spec.support.process"

local ONE = "https://h.example/flex/one"

describe("runtime.nginx.runtime", function()
  local server

  setup(function()
    server = app.start()
  end)

  it("runs tasks as the other hosts do", function()
    assert.equal(200, app.post(server, { Do = "tasks" }).status)
    assert.equal("246cancelledhandler", app.value(server, "tasks"))
  end)

  it("cuts a handler's waits to its deadline", function()
    assert.equal(500, app.post(server, { Do = "oversleep" }).status)
    assert.equal("niltimeout", app.value(server, "slept"))
  end)

  it("runs a function until all that it started has ended", function()
    local run = app.start { server = [[
      location = / { content_by_lua_block {
        local flexhooks = require "flexhooks"
        local seen = {}
        local function note(name)
          seen[#seen + 1] = tostring(name)
        end
        note(select("#", flexhooks.run(function(a)
          flexhooks.spawn(function()
            local mapped
            flexhooks.spawn(function()
              repeat
                flexhooks.sleep(0.01)
              until mapped
              note "grandchild"
            end)
            mapped = flexhooks.map({ 1, 2 }, 2, function(n)
              flexhooks.sleep(0.01)
              return n
            end)
            note(#mapped)
          end)
          note(a)
          return nil, 2, nil
        end, "given")))
        local ok, err = pcall(flexhooks.run, function()
          flexhooks.spawn(function()
            local _, why = flexhooks.sleep(60)
            note(why.kind)
          end)
          flexhooks.sleep(0.01)
          error("raised", 0)
        end)
        note(err)
        note(select(2, pcall(flexhooks.run, function()
          flexhooks.run(print)
        end)))
        note(select(2, pcall(flexhooks.run)))
        flexhooks.run(function()
          local outer = flexhooks.spawn(function()
            return flexhooks.sleep(60)
          end)
          outer:cancel()
        end)
        local text = table.concat(seen, "\n")
        ngx.header.content_length = #text
        ngx.print(text)
      } }]] }
    local lines = app.get(run, "/").body
    for _, pattern in ipairs { "^given\n2\ngrandchild\n3\ncancelled\nraised\n",
      "\nargument: [^\n]*already inside a task", "must be a function, got nil$"
    } do
      assert.matches(pattern, lines)
    end
  end)

  it("says what belongs to other hosts", function()
    local other = app.start { server = [[
      location = / { content_by_lua_block {
        local flexhooks = require "flexhooks"
        local _, loop = pcall(flexhooks.loop)
        local _, serve = pcall(flexhooks.serve, { app = "app.lua" })
        local text = loop.kind .. " " .. loop.message .. "\n" .. serve.kind
          .. " " .. serve.message
        ngx.header.content_length = #text
        ngx.print(text)
      } }]] }
    local text = app.get(other, "/").body
    assert.matches("^unsupported [^\n]*flexhooks.loop: nginx is the loop here",
      text)
    assert.matches("\nunsupported [^\n]*flexhooks.serve: nginx is the server",
      text)
  end)

  -- Waits that are not ours let another light thread run in between.
  it("keeps the deadlines of light threads apart", function()
    local threads = app.start { server = [[
      location = / { content_by_lua_block {
        local host = require "flexhooks.runtime.nginx.runtime"
        local function work(seconds, nap)
          local outer = host.enter(host.clock() + seconds)
          ngx.sleep(nap)
          local inner = host.enter(host.clock() + 10 * seconds)
          ngx.sleep(nap)
          local within = host.remaining()
          host.leave(inner)
          local slept, err = host.sleep(0.6)
          return host.leave(outer), within <= seconds, slept or err.kind
        end
        local a = ngx.thread.spawn(work, 0.5, 0.01)
        local b = ngx.thread.spawn(work, 5, 0.03)
        local c = ngx.thread.spawn(work, 0.4, 0.02)
        local function told(_, cut, within, slept)
          return tostring(cut) .. tostring(within) .. tostring(slept) .. " "
        end
        local text = told(ngx.thread.wait(a)) .. told(ngx.thread.wait(b))
          .. told(ngx.thread.wait(c)) .. tostring(host.remaining())
        ngx.header.content_length = #text
        ngx.print(text)
      } }]] }
    assert.equal("truetruetimeout falsetruetrue truetruetimeout nil",
      app.get(threads, "/").body)
  end)

  -- The last part of what a run waits for may be the one that is refused.
  it("does not wait for a light thread that nginx does not start", function()
    local refusing = app.start { server = [[
      location = / { content_by_lua_block {
        local flexhooks = require "flexhooks"
        local spawn, said = ngx.thread.spawn, {}
        for _, refuse in ipairs {
          function() error("no memory", 0) end,
          function() return nil, "no memory" end,
        } do
          flexhooks.run(function()
            ngx.thread.spawn = refuse
            local ok, err = pcall(flexhooks.spawn, print)
            ngx.thread.spawn = spawn
            said[#said + 1] = tostring(ok) .. err.kind .. err.message
          end)
        end
        local text = table.concat(said, "\n")
        ngx.header.content_length = #text
        ngx.print(text)
      } }]] }
    local text = app.get(refusing, "/").body
    assert.equal(2, select(2, text:gsub("falseunsupported[^\n]*nginx starts "
      .. "no light thread: no memory", "")))
  end)

  it("logs a task's error at once if nginx starts no timer", function()
    local refusing = app.start { server = [[
      location = / { content_by_lua_block {
        ngx.timer.at = function() return nil, "too many pending timers" end
        require("flexhooks").spawn(error, "unheard")
        ngx.header.content_length = 0
      } }]] }
    app.get(refusing, "/")
    assert.matches("a task failed and nobody waited for it[^\n]*unheard",
      refusing:log())
  end)

  it("waits before a location is chosen, too", function()
    local early = app.start { server = [[
      server_rewrite_by_lua_block {
        local flexhooks = require "flexhooks"
        local ok, err = flexhooks.spawn(flexhooks.sleep, 0.01):wait()
        ngx.header["x-slept"] = tostring(ok or err)
      }
      location = / { return 204; }]] }
    assert.equal("true", app.get(early, "/").headers["x-slept"])
  end)

  it("says in which phases a call can wait", function()
    local log = app.start { server = [[
      location = / {
        log_by_lua_block {
          local flexhooks = require "flexhooks"
          for name, call in pairs {
            sleep = function() flexhooks.sleep(1) end,
            spawn = function() flexhooks.spawn(print) end,
            http = function()
              local answer, err = flexhooks.http "http://127.0.0.1:1/"
              error(answer or err, 0)
            end,
          } do
            local ok, err = pcall(call)
            ngx.log(ngx.WARN, name, " ", ok, " ", tostring(err))
          end
        }
        return 204;
      }]] }
    app.get(log, "/")
    -- The log phase follows the answer.
    for _, name in ipairs { "sleep", "spawn", "http" } do
      process.eventually(function()
        return log:log():match(name .. " false unsupported: .*cannot wait in "
          .. "nginx's log phase; call it from content_by_lua%*")
      end, 30, "refusal of " .. name)
    end
  end)
end)

-- A handler that begins first sleeps; the next one does not.
local LEFT = app.app:gsub("return {", [[
local flight = require("flexhooks.runtime.single_flight").new()
local function first(name)
  return dict:incr("spec:" .. name, 1, 0) == 1
end
router:on("*", { Do = "sleep first" }, function()
  if first "runs" then
    flexhooks.sleep(100)
  end
end)
router:on("*", { Do = "call first" }, function(event)
  if first "runs" then
    assert(flexhooks.http(event.Url, { timeout = 100 }))
  end
end)
router:on("*", { Do = "share first" }, function()
  assert(flight:share(function()
    return not first "runs" or flexhooks.sleep(100)
  end))
end)
%0]], 1):gsub("handler_timeout = 5", "handler_timeout = 100")

describe("a client that leaves, with lua_check_client_abort on", function()
  local TOKEN = { idempotency_token = "1" }

  local function start(init)
    return app.start { files = { ["app.lua"] = LEFT }, http = app.http
      :gsub("init_by_lua_block {", "%0" .. (init or ""))
      .. "lua_check_client_abort on;" }
  end

  local function leave(server, fields, more, begun)
    local peer = app.begin(server, fields, more)
    process.eventually(begun)
    peer:close()
  end

  -- A delivery whose client leaves while its handler waits, then a second one.
  local function again(server, fields, later)
    leave(server, fields, TOKEN, function()
      return app.value(server, "runs") == "1"
    end)
    assert.equal(200, app.post(server, fields, later or TOKEN).status)
    assert.equal("2", app.value(server, "runs"))
    assert.matches("the client closed its connection", server:log(), 1, true)
  end

  for name, later in pairs {
    ["a re-delivery"] = TOKEN, ["a twin"] = { url = ONE },
  } do
    it("leaves no claim to " .. name, function()
      again(start(), { Do = "sleep first" }, later)
    end)
  end

  it("leaves no claim in the memory of a worker", function()
    local server = start [[
      require("flexhooks.nginx").configure { shared_dict = "none" }]]
    again(server, { Do = "sleep first" })
  end)

  it("is no longer served by a call", function()
    local api = app.start()
    again(start(), { Do = "call first",
      Url = ("http://127.0.0.1:%d/held"):format(api.port) })
    app.get(api, "/let_go")
  end)

  it("does not hold up what its handler shares with others", function()
    again(start(), { Do = "share first" }, { idempotency_token = "2" })
  end)

  it("no longer waits for the outcome of another delivery", function()
    local server = start()
    local first = app.begin(server, { Do = "sleep first" }, TOKEN)
    process.eventually(function()
      return app.value(server, "runs") == "1"
    end)
    local function rejected()
      return app.get(server, "/metrics").body
        :match 'events_rejected_total{reason="not_claimed"} (%d+)'
    end
    local second = app.begin(server, { Do = "sleep first" }, TOKEN)
    app.get(server, "/healthz")
    second:close()
    process.eventually(function()
      return rejected() == "1"
    end)
    first:close()
    assert.equal("1", app.value(server, "runs"))
  end)
end)
