local lint = require "spec.support.lint"

local function said(sources)
  return lint("layers", sources)
end

local function lua(name)
  return "lua/flexhooks/" .. name:gsub("%.", "/") .. ".lua"
end

describe("lint.layers in C", function()
  it("takes includes from below", function()
    assert.same({}, said {
      ["src/util_form.c"] = '#include "util_form.h"\n'
        .. '#include "util_buffer.h"\n',
      ["src/lua_util_form.c"] = '#include "lua_core.h"\n'
        .. '#include "util_form.h"\n',
      ["src/lua_support.h"] = '#include "lua_compat.h"\n#include <lua.h>\n',
      ["src/server_listener.c"] = '#include "server_listener.h"\n'
        .. '#include "server_connection.h"\n',
    })
  end)

  it("refuses an include from above or beside", function()
    assert.same({
      "src/http_pool.c:1: includes lua_support.h, which is not below it",
      "src/lua_support.c:1: includes lua_core.h, which is not below it",
      "src/server_listener.h:1: includes server_connection.h, "
        .. "which is not below it",
      "src/util_buffer.c:1: includes util_form.h, which is not below it",
      "src/util_form.c:1: includes json.h, which is not below it",
    }, said {
      ["src/util_buffer.c"] = '#include "util_form.h"\n',
      ["src/util_form.c"] = '#include "json.h"\n',
      ["src/http_pool.c"] = '# include "lua_support.h"\n',
      ["src/server_listener.h"] = '#include "server_connection.h"\n',
      ["src/lua_support.c"] = '#include "lua_core.h"\n',
    })
  end)

  it("refuses Lua's headers at level 0", function()
    assert.same({ "src/http_pool.h:2: level 0 includes lua.h" }, said {
      ["src/http_pool.h"] = "#include <curl/curl.h>\n#include <lua.h>\n",
    })
  end)

  it("wants a rank for each file", function()
    local list = said {
      ["src/new.c"] = "",
      ["src/http_pool.c"] = '#include "other.h"\n',
    }
    assert.matches("src/http_pool.c:1: includes other.h, which has no rank",
      list[1], 1, true)
    assert.matches("src/new.c:1: has no rank", list[2], 1, true)
  end)
end)

describe("lint.layers in Lua", function()
  it("takes requires from below and within a folder", function()
    assert.same({}, said {
      [lua "receiver"] = 'local r = require "flexhooks.router"\n',
      [lua "client.webhooks"] = 'require("flexhooks.client.base")\n',
      [lua "client.base"] = "",
      [lua "router"] = 'require "flexhooks.error"\n'
        .. '-- require "flexhooks.cli.main"\n',
      [lua "error"] = "",
    })
  end)

  it("refuses a require from above", function()
    assert.same({
      "lua/flexhooks/router.lua:2: requires receiver, which is not below it",
    }, said {
      [lua "router"] = "\nlocal r = require 'flexhooks.receiver'\n",
      [lua "receiver"] = "",
    })
  end)

  it("refuses a circle within a folder", function()
    local list = said {
      [lua "cli.a"] = 'require "flexhooks.cli.b"',
      [lua "cli.b"] = 'require "flexhooks.cli.a"',
    }
    assert.equal(2, #list)
    assert.matches("a circle: cli.a > cli.b > cli.a", list[2], 1, true)
  end)

  it("wants a layer for each module", function()
    assert.matches("has no layer", said { [lua "new"] = "" }[1])
  end)

  it("keeps the loop, the server and curl out of nginx", function()
    local list = said {
      [lua "nginx"] = 'require "flexhooks.runtime.nginx.runtime"',
      [lua "runtime.nginx.runtime"] = 'require "flexhooks.runtime.curl"',
      [lua "runtime.curl"] = 'require "flexhooks.runtime.loop"',
      [lua "runtime.loop"] = "",
    }
    assert.matches("nginx reaches runtime.loop: nginx > "
      .. "runtime.nginx.runtime > runtime.curl",
      table.concat(list, "\n"), 1, true)
  end)

  it("lets the window choose", function()
    assert.same({}, said {
      [lua "runtime.current"] = 'require "flexhooks.runtime.loop"',
      [lua "nginx"] = 'require "flexhooks.runtime.current"',
      [lua "runtime.loop"] = "",
    })
  end)
end)
