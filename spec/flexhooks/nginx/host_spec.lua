-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
local app = require "spec.support.nginx_app"
local process = require "spec.support.process"

describe("nginx.host", function()
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

  -- Waits that are not ours let another light thread run in between.
  it("keeps the deadlines of light threads apart", function()
    local threads = app.start { server = [[
      location = / { content_by_lua_block {
        local host = require "flexhooks.nginx.host"
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
      end, 10, "refusal of " .. name)
    end
  end)
end)
