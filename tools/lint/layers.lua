-- Who may know whom: in C a file includes only from ranks below its own, in
-- Lua a module requires only from layers below its own, or of its own folder;
-- and nothing goes round in a circle.
local tree = require "lint.tree"

local M = {}

-- Level 0 by ranks, where a source may stand higher than its header; levels 1
-- and 2 follow from the names.
local C_RANKS = {
  { "util_slice", "util_sort", "util_buffer", "redis_reply", "util_secret",
    "util_poller", "server_head", "server_socket", "http_url",
    "http_address", "http_alloc", "json_number", "util_file",
    "http_sockets", "http_certificate" },
  { "util_form", "json_reader", "sig_key", "sig_url", "http_response",
    "redis_client", "server_listener", "util_sid", "util_ttl_set",
    "json_text", "util_sql_text", "server_chunks", "http_attempt" },
  { "server_legacy" },
  { "sig_verify", "http_request", "server_connection", "json" },
  { "sig_account", "sig_validator", "http_transfer", "server_listener.c",
    "server_legacy.c", "server_exchange" },
  { "http_pool" },
}
local LEVEL1 = { lua_compat = 10, lua_support = 11 }
local LEVEL2 = { h = 20, c = 21 } -- bindings may show each other their handles

-- From the bottom up. A name ending in ".*" is a folder with its head module.
local LUA_LAYERS = {
  { "error" },
  { "core.*" },
  { "util.*" },
  { "log", "json", "url.*", "events", "metrics", "signature.*" },
  { "runtime.*" },
  { "router.refusal" },
  { "client.*", "router.*", "dedupe.*", "http.*" },
  { "receiver.*", "queue.*" },
  { "worker.*" },
  { "app" },
  { "server.*", "nginx.*", "provision.*", "testing.*" },
  { "simulator.*" },
  { "cli.*" },
}

-- Modules that choose an implementation when first used, and what they choose
-- from: these edges count for nothing when nginx' own graph is checked.
local WINDOWS = {
  ["runtime.current"] = {
    ["runtime.loop"] = true, ["runtime.curl"] = true,
    ["runtime.nginx.runtime"] = true, ["runtime.nginx.transport"] = true,
  },
  ["queue.redis.queue"] = {
    ["queue.redis.connection"] = true, ["queue.redis.nginx"] = true,
  },
}

local REQUIRE = "require%s*%(?%s*[\"']flexhooks%.([%w_.]+)"

-- What must not be reachable from nginx, directly or through others.
local BARRED_FROM_NGINX = { "runtime.loop", "server", "runtime.curl" }

local RANK_OF = {}
for rank, names in ipairs(C_RANKS) do
  for _, name in ipairs(names) do
    RANK_OF[name] = rank
  end
end

-- The rank of what is named without its folder, "form.c".
local function c_rank(file)
  local name = file:gsub("%.[ch]$", "")
  if LEVEL1[name] then
    return LEVEL1[name]
  end
  if name:find "^lua_" then
    return LEVEL2[file:sub(-1)]
  end
  return RANK_OF[file] or RANK_OF[name]
end

local function check_include(file, rank, included, complain)
  if included:gsub("h$", "c") == file then
    return
  end
  local other = c_rank(included)
  if not other then
    complain("includes " .. included .. ", which has no rank")
  elseif other >= rank then
    complain("includes " .. included .. ", which is not below it")
  end
end

local function check_c(path, text, report)
  local file = path:match "[%w_]+%.[ch]$"
  local rank = c_rank(file)
  if not rank then
    report(path, 1, "has no rank: give it one in tools/lint/layers.lua")
    return
  end
  for number, line in tree.lines(tree.c_code(text, true)) do
    local function complain(message)
      report(path, number, message)
    end
    local own = line:match '^%s*#%s*include%s+"([%w_]+%.h)"'
    local system = line:match "^%s*#%s*include%s+<([%w_/]+)%.h>"
    if own then
      check_include(file, rank, own, complain)
    elseif system and rank < 10 and (system == "lua" or system == "lauxlib"
      or system == "lualib" or system == "luajit") then
      complain("level 0 includes " .. system .. ".h")
    end
  end
end

local function layer_of(name)
  for layer, patterns in ipairs(LUA_LAYERS) do
    for _, pattern in ipairs(patterns) do
      local folder = pattern:match "^(.*)%.%*$"
      if name == pattern or folder and (name == folder
        or name:sub(1, #folder + 1) == folder .. ".") then
        return layer, folder
      end
    end
  end
end

local function may_require(from, to)
  if WINDOWS[from] and WINDOWS[from][to] then
    return true
  end
  local own, own_folder = layer_of(from)
  local other, other_folder = layer_of(to)
  return other < own or (other == own and own_folder ~= nil
    and own_folder == other_folder)
end

-- name -> list of { name, line } for each module of lua/flexhooks.
local function lua_edges(sources, report)
  local edges = {}
  for _, path in ipairs(tree.paths(sources, "^lua/flexhooks/.*%.lua$")) do
    local name = path:match "^lua/flexhooks/(.*)%.lua$":gsub("/", ".")
      :gsub("%.init$", "")
    edges[name] = { path = path }
    if not layer_of(name) then
      report(path, 1, "has no layer: give it one in tools/lint/layers.lua")
    end
    for number, line in tree.lines(tree.lua_code(sources[path], true)) do
      for required in line:gmatch(REQUIRE) do
        table.insert(edges[name], { required, number })
      end
    end
  end
  return edges
end

local function check_edges(edges, report)
  for name, list in pairs(edges) do
    for _, edge in ipairs(list) do
      local to, line = edge[1], edge[2]
      if layer_of(name) and not layer_of(to) then
        report(list.path, line, "requires " .. to .. ", which has no layer")
      elseif layer_of(name) and not may_require(name, to) then
        report(list.path, line, "requires " .. to .. ", which is not below it")
      end
    end
  end
end

-- Calls visit(path) with each chain of requires that begins at `name` and ends
-- at a module seen in the chain already (a circle) or nowhere new.
local function walk(edges, name, chain, done, visit)
  chain[#chain + 1] = name
  for _, edge in ipairs(edges[name] or {}) do
    local to = edge[1]
    if not (WINDOWS[name] and WINDOWS[name][to]) then
      visit(chain, to, edge[2])
      if not done[to] then
        done[to] = true
        walk(edges, to, chain, done, visit)
      end
    end
  end
  chain[#chain] = nil
end

local function check_circles(edges, report)
  for name, list in pairs(edges) do
    walk(edges, name, {}, {}, function(chain, to, line)
      if to == name and chain[1] == name then
        local last = chain[#chain]
        report(edges[last] and edges[last].path or list.path, line,
          "a circle: " .. table.concat(chain, " > ") .. " > " .. to)
      end
    end)
  end
end

local function check_nginx(edges, report)
  local barred = {}
  for _, name in ipairs(BARRED_FROM_NGINX) do
    barred[name] = true
  end
  for name, list in pairs(edges) do
    if name:find "^nginx%f[.%z]" then
      walk(edges, name, {}, {}, function(chain, to)
        if barred[to] then
          report(list.path, 1, "nginx reaches " .. to .. ": "
            .. table.concat(chain, " > "))
        end
      end)
    end
  end
end

function M.check(sources, report)
  for _, path in ipairs(tree.paths(sources, "^src/.*%.[ch]$")) do
    check_c(path, sources[path], report)
  end
  local edges = lua_edges(sources, report)
  check_edges(edges, report)
  check_circles(edges, report)
  check_nginx(edges, report)
end

return M
