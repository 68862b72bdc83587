-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
local app = require "spec.support.nginx_app"

-- Runs code in a request of a real nginx, where `mine` counts in `runs`.
-- Returns what it says.
local function run(code, http)
  local server = app.start { http = app.http .. (http or ""), server = [[
    location = / { content_by_lua_block {
      local runs, said = { n = 0 }, {}
      local later = require "flexhooks.runtime.nginx.later"
      local mine = later.new(0.05, function(given)
        given.n = given.n + 1
      end, runs)
      local function say() said[#said + 1] = tostring(runs.n) end
      ]] .. code .. [[
      local text = table.concat(said, " ")
      ngx.header.content_length = #text
      ngx.print(text)
    } }]] }
  return app.get(server, "/").body
end

describe("runtime.nginx.later", function()
  it("runs once for all who ask until then, and again for later ones",
    function()
      assert.equal("0 1 1 2", run [[
        mine:schedule()
        mine:schedule()
        say()
        ngx.sleep(0.2)
        say()
        mine:schedule()
        say()
        ngx.sleep(0.2)
        say()]])
    end)

  it("runs at once if nginx starts no timer", function()
    assert.equal("1 2 3", run [[
      local at = ngx.timer.at
      ngx.timer.at = function() return nil, "too many pending timers" end
      mine:schedule()
      say()
      mine:schedule()
      say()
      ngx.timer.at = at
      mine:schedule()
      ngx.sleep(0.2)
      say()]])
  end)

  -- nginx accepts the timer, and forgets it when it is due.
  it("runs in the end if nginx forgets the timer", function()
    assert.equal("0 0 1 2", run([[
      local over = false
      ngx.timer.at(0, function()
        while not over do ngx.sleep(0.01) end
      end)
      ngx.sleep(0.05)
      mine:schedule()
      ngx.sleep(0.2)
      over = true
      ngx.sleep(0.1)
      mine:schedule()
      say()
      ngx.sleep(1)
      say()
      mine:schedule()
      say()
      ngx.sleep(0.2)
      say()]], "lua_max_running_timers 1;"))
  end)
end)
