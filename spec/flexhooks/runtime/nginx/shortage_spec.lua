-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
local app = require "spec.support.nginx_app"

local SMALL = app.http:gsub("lua_shared_dict flexhooks 10m",
  "lua_shared_dict flexhooks 64k")

local function full(server, outcome)
  return tonumber(app.get(server, "/metrics").body:match(
    'flexhooks_shared_dict_full_total{outcome="' .. outcome .. '"} (%d+)'))
end

local function warnings(server)
  return select(2, server:log():gsub("is too small", ""))
end

describe("runtime.nginx.shortage", function()
  it("counts what a dictionary drops, and warns once a minute", function()
    local server = app.start { http = SMALL }
    assert.is_nil(full(server, "dropped"))
    for i = 1, 1200 do
      app.post(server, { N = tostring(i) },
        { idempotency_token = "token" .. i })
    end
    assert.is_true(full(server, "dropped") > 0)
    assert.equal(1, warnings(server))
    assert.matches("lua_shared_dict flexhooks 64k is too small: [^\n]*make it "
      .. "larger: lua_shared_dict flexhooks 128k;", server:log())
    -- Which is why: the first claim is no longer there.
    assert.equal(200, app.post(server, { N = "1" },
      { idempotency_token = "token1" }).status)
    assert.is_nil(app.get(server, "/metrics").body
      :find('events_duplicate_total{kind="token"}', 1, true))
  end)

  it("says nothing of a dictionary that is large enough", function()
    local server = app.start()
    for i = 1, 300 do
      app.post(server, { N = tostring(i) })
    end
    assert.is_nil(full(server, "dropped"))
    assert.equal(0, warnings(server))
  end)

  -- A dictionary refuses after it has dropped thirty entries in vain.
  it("counts what a dictionary refuses; its event is handled", function()
    local server = app.start { http = app.http:gsub("init_by_lua_block {", [[%0
      local dict = ngx.shared.flexhooks
      local function refuse()
        return false, "no memory", false
      end
      ngx.shared.other = setmetatable({ add = refuse, set = refuse,
        incr = refuse, get = function() end, delete = function() end,
        capacity = function() return 1024 end }, {})
      require("flexhooks.nginx").configure { shared_dict = "other" }
    ]]) }
    for _, more in ipairs { {}, { idempotency_token = "1" },
      { url = "https://h.example/flex/one" } } do
      assert.equal(200, app.post(server, nil, more).status)
    end
    assert.equal("3", app.value(server, "handled"))
    assert.equal(1, warnings(server))
  end)
end)
