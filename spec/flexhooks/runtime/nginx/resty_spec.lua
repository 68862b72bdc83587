-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
-- What needs the library is in resty_http_spec.lua.
local nginx_calls = require "spec.support.nginx_calls"

local function start(library)
  return nginx_calls.start { library = false, http = [[
    init_worker_by_lua_block { package.preload["resty.http"] = function()
      ]] .. library .. [[
    end }
  ]], server = [[
    location = /library { content_by_lua_block {
      local library, why = require("flexhooks.runtime.nginx.resty").library()
      ngx.print(tostring(library), " ", why)
    } }
  ]] }
end

describe("runtime.nginx.resty", function()
  it("says that the library is not there, or why it does not load", function()
    local calls = start [[error "module 'resty.string' not found\n no file"]]
    assert.matches("^nil .*module 'resty.string' not found$",
      calls:ask "/library")
  end)

  it("does not use one that cannot do what is asked of it", function()
    local calls = start "return { new = function() end }"
    assert.matches("^nil .*0.16 or newer", calls:ask "/library")
  end)

  -- As lua-resty-http after 0.17.2 does.
  it("gives the library a body if it wants one", function()
    local calls = start [[return { read_response = true, new = function()
      return {
        sock = { close = function() end },
        set_timeouts = function() end,
        connect = function() return true end,
        get_reused_times = function() return 0 end,
        send_request = function(_, params)
          return nil, type(params.body) .. " body"
        end,
      }
    end }]]
    for method, body in pairs { POST = "string", PUT = "string",
      patch = "string", GET = "nil", DELETE = "nil" } do
      local _, err = calls:send { method = method,
        url = "http://h.example/" }
      assert.matches(body .. " body", err.message, 1, true)
    end
  end)

  it("refuses a file of authorities, whatever else", function()
    local calls = nginx_calls.start { library = false,
      configure = "transport = 'auto'", server = [[
        location = /new { content_by_lua_block {
          local made, err = require("flexhooks.runtime.nginx.resty").new {
            ca_file = "/a.pem" }
          ngx.print(tostring(made), " ", tostring(err))
        } }
      ]] }
    assert.matches("^nil unsupported: .*lua_ssl_trusted_certificate",
      calls:ask "/new")
  end)
end)
