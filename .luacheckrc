-- The subset that Lua 5.4 and LuaJIT share; `unpack` is found at run time.
std = "min"
read_globals = {
  "unpack",
  table = { fields = { "unpack" } },
  math = { fields = { "type", "tointeger" } },
  package = { fields = { "searchpath" } }, -- 5.4, and LuaJIT as well
}
max_line_length = false -- tools/lint/text.lua counts columns of every file
codes = true
self = false -- methods that one implementation of a set has no use for
files["spec/**/*_spec.lua"] = { std = "+busted" }
files["lua/flexhooks/nginx*"] = { std = "+ngx_lua" }
files["bin/flexhooks"] = { globals = { "_" } } -- what sh reads first
files["*.rockspec"] = { std = "+rockspec" }
