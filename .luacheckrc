-- The subset that Lua 5.4 and LuaJIT share; `unpack` is found at run time.
std = "min"
read_globals = {
  "unpack", "loadstring",
  table = { fields = { "unpack" } },
  coroutine = { fields = { "isyieldable" } },
  math = { fields = { "type", "tointeger" } },
  package = { fields = { "searchpath" } }, -- 5.4, and LuaJIT as well
}
max_line_length = false -- tools/lint/text.lua counts columns of every file
codes = true
self = false -- methods that one implementation of a set has no use for
files["spec/**/*_spec.lua"] = { std = "+busted" }
for _, inside in ipairs { "nginx*", "**/nginx*", "**/nginx/**" } do
  files["lua/flexhooks/" .. inside] = {
    std = "+ngx_lua",
    read_globals = { ngx = { fields = { "run_worker_thread" } } },
  }
end
files["bench/nginx_by_hand.lua"] = { std = "+ngx_lua" }
files["bench/nginx_floor.lua"] = { std = "+ngx_lua" }
files["bench/nginx_wrk.lua"] = {
  globals = { "init", "request" }, read_globals = { "wrk" },
}
files["bin/flexhooks"] = { globals = { "_" } } -- what sh reads first
files["*.rockspec"] = { std = "+rockspec" }
