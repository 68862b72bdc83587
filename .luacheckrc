-- The subset that Lua 5.4 and LuaJIT share; `unpack` is found at run time.
std = "min"
read_globals = {
  "unpack",
  table = { fields = { "unpack" } },
  package = { fields = { "searchpath" } }, -- 5.4, and LuaJIT as well
}
max_line_length = false -- tools/lint/text.lua counts columns of every file
codes = true
files["spec/**/*_spec.lua"] = { std = "+busted" }
files["lua/flexhooks/nginx*"] = { std = "+ngx_lua" }
files["bin/flexhooks"] = { globals = { "_" } } -- what sh reads first
files["*.rockspec"] = { std = "+rockspec" }
