rockspec_format = "3.0"
package = "flexhooks"
version = "0.1.0-1"

source = {
  url = "git+https://github.com/flexhooks/flexhooks.git",
  tag = "v0.1.0",
}

description = {
  summary = "Register Twilio Flex Interactions webhooks and route their events",
  detailed = [[
    Provisions webhooks of the Flex Interactions API, receives and verifies
    their signed events, and routes them to handlers: in a script, in a server
    of its own, and inside nginx or OpenResty.]],
  homepage = "https://github.com/flexhooks/flexhooks",
  license = "MIT",
  labels = { "twilio", "webhook", "http", "openresty" },
}

supported_platforms = { "linux" }

-- The queue that is a file also wants LuaSQL: luarocks install luasql-sqlite3.
dependencies = {
  "lua >= 5.1, < 5.5, ~= 5.2, ~= 5.3",
  "argparse >= 0.7.1",
}

-- The Makefile finds libcurl, OpenSSL, libmicrohttpd and hiredis by pkg-config;
-- LuaRocks' own search misses the folders of multiarch systems.
build = {
  type = "make",
  build_variables = {
    CFLAGS = "$(CFLAGS)",
    LUA_INCDIR = "$(LUA_INCDIR)",
    ROCK_LUA = "$(LUA)",
  },
  install_variables = {
    PREFIX = "$(PREFIX)",
    ROCK_LUA = "$(LUA)",
    LUA_INCDIR = "$(LUA_INCDIR)",
    INST_LUADIR = "$(LUADIR)",
    INST_LIBDIR = "$(LIBDIR)",
    BINDIR = "$(BINDIR)",
  },
  copy_directories = { "docs" },
}

-- The command finds its Lua and its modules by itself. LuaRocks would run it with
-- PUC Lua 5.1, which cannot serve.
deploy = { wrap_bin_scripts = false }
