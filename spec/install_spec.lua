-- Installed by make and by LuaRocks, the module and the command work from
-- where they were put.
local process = require "spec.support.process"
local testing = require "flexhooks.testing"

local LUAJIT = rawget(_G, "jit") ~= nil
local ABI = LUAJIT and "5.1" or "5.4"
local NAME = LUAJIT and "luajit" or "lua5.4"
local ROCKSPEC = "flexhooks-0.1.0-1.rockspec"

-- Neither the checkout's modules nor the caller's rocks are found.
local function bare_environment(more)
  local env = { LUA_PATH = false, LUA_CPATH = false, LUA = false,
    HOME = process.folder() }
  for name, value in pairs(more or {}) do
    env[name] = value
  end
  return env
end

local function run(command, options)
  options.timeout = 240
  local status, out, err = process.run(command, options)
  assert(status == 0, table.concat(command, " ") .. "\n" .. out .. err)
  return out
end

local function copy_of_checkout()
  local dir = process.folder()
  local parts = "Makefile LICENSE README.md src lua bin docs tools "
  run({ "sh", "-c", "cp -r " .. parts .. ROCKSPEC .. " " .. dir }, {})
  return dir
end

local function file_count(dir)
  return tonumber(run({ "sh", "-c", "find . -type f | wc -l" }, { cwd = dir }))
end

local TRY = "local flexhooks = require 'flexhooks' "
  .. "print(flexhooks._VERSION, require 'flexhooks.core'.live(), "
  .. "require 'flexhooks.core.listener'.live())"

-- What stands below a folder and goes with the command: its manual and what
-- shells complete.
local function try_help(prefix)
  local manual = process.read(prefix .. "/share/man/man1/flexhooks.1")
  assert.matches("^%.TH FLEXHOOKS 1 ", manual)
  assert.matches("\n%.SS \"flexhooks webhooks list\"\n", manual)
  assert.matches("complete -F _flexhooks", process.read(prefix
    .. "/share/bash-completion/completions/flexhooks"), 1, true)
  assert.matches("^#compdef flexhooks\n", process.read(prefix
    .. "/share/zsh/site-functions/_flexhooks"))
end

local TOKEN = "0123456789abcdef0123456789abcdef"
local URL = "https://company.example/flex/events"

-- The handler waits, which takes coroutines that yield within pcall.
local APP = [[
local flexhooks = require "flexhooks"
local router = flexhooks.router()
router:on("onChannelCreated", function(event, context)
  flexhooks.sleep(0.001)
  print("handled " .. event.EventType)
  io.stdout:flush()
end)
return router
]]

local function post(port, headers, body)
  local words = { "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}",
    "--data-binary", body, "http://127.0.0.1:" .. port .. "/flex/events" }
  for name, value in pairs(headers) do
    words[#words + 1] = "-H"
    words[#words + 1] = name .. ": " .. value
  end
  return run(words, {})
end

-- Has the installed command serve a signed request, and refuse another one.
local function try_serving(command)
  local dir = process.folder()
  process.write(dir .. "/app.lua", APP)
  local child = process.spawn({ command, "serve", "app.lua", "--port", "0" }, {
    cwd = dir,
    env = bare_environment { TWILIO_AUTH_TOKEN = TOKEN,
      FLEXHOOKS_PUBLIC_URL = URL },
  })
  local port = child:wait_output "listening on http://127%.0%.0%.1:(%d+)\n"
  local request = testing.request(testing.event "onChannelCreated",
    { auth_token = TOKEN, url = URL })
  assert.equal("200", post(port, request.headers, request.body))
  child:wait_output "handled onChannelCreated\n"
  assert.equal("403", post(port, {}, request.body))
  assert.equal(0, child:stop())
end

-- Asks for the module and the command below `prefix`.
local function try(prefix)
  local env = bare_environment {
    LUA_PATH = prefix .. "/share/lua/" .. ABI .. "/?.lua;;",
    LUA_CPATH = prefix .. "/lib/lua/" .. ABI .. "/?.so;;",
  }
  local away = process.folder()
  assert.equal("0.1.0\t0\t0\n",
    run({ process.lua, "-e", TRY }, { env = env, cwd = away }))
  local out = run({ prefix .. "/bin/flexhooks", "--help" },
    { env = bare_environment(), cwd = away })
  assert.matches("Usage: flexhooks", out, 1, true)
  local link = away .. "/link"
  run({ "ln", "-s", prefix .. "/bin/flexhooks", link }, {})
  out = run({ link, "--help" },
    { env = bare_environment { LUA = "false" } })
  assert.matches("Usage: flexhooks", out, 1, true)
  try_serving(prefix .. "/bin/flexhooks")
end

describe("make install", function()
  -- What is installed has been built for the tests already.
  local function make(target, ...)
    run({ "make", "-s", "LUA=" .. NAME, target, ... },
      { env = bare_environment() })
  end

  it("puts module and command under a prefix, and takes them away", function()
    local prefix = process.folder()
    make("install", "PREFIX=" .. prefix)
    try(prefix)
    try_help(prefix)
    make("uninstall", "PREFIX=" .. prefix)
    assert.equal(0, file_count(prefix))
  end)

  it("keeps PREFIX below DESTDIR", function()
    local dest = process.folder()
    make("install", "PREFIX=/opt/x", "DESTDIR=" .. dest)
    try(dest .. "/opt/x")
    try_help(dest .. "/opt/x")
  end)
end)

local function luarocks(tree, ...)
  local command = { "luarocks", "--lua-version=" .. ABI, "--tree=" .. tree,
    "make", "--deps-mode=none", ROCKSPEC, ... }
  run(command, { cwd = copy_of_checkout(), env = bare_environment() })
end

describe("luarocks make", function()
  it("needs no flags", function()
    local tree = process.folder()
    luarocks(tree)
    try(tree)
    try_help(("%s/lib/luarocks/rocks-%s/flexhooks/%s"):format(tree, ABI,
      ROCKSPEC:match "^flexhooks%-(.*)%.rockspec$"))
  end)
end)

-- A folder of links to all that is in `from`, but for the names that match.
local function without(pattern, from)
  local dir = process.folder()
  for path in from:gmatch "[^:]+" do
    run({ "sh", "-c", ("ln -s %s/* . 2>/dev/null; rm -f %s"):format(path,
      pattern) }, { cwd = dir })
  end
  return dir
end

local function variable(name)
  return run({ "pkg-config", "--variable=" .. name, "luajit" }, {})
    :match "[^\n]*"
end

-- The tree of an OpenResty whose LuaJIT is this machine's.
local function openresty()
  local prefix = process.folder()
  run({ "sh", "-c", "mkdir -p luajit/bin luajit/include luajit/lib/pkgconfig "
    .. '&& ln -s "$(command -v luajit)" luajit/bin/luajit' }, { cwd = prefix })
  run({ "ln", "-s", variable "includedir",
    prefix .. "/luajit/include/luajit-2.1" }, {})
  process.write(prefix .. "/luajit/lib/pkgconfig/luajit.pc", ([[
Name: LuaJIT
Description: of OpenResty
Version: 2.1
Cflags: -I%s/luajit/include/luajit-2.1
]]):format(prefix))
  return prefix
end

if LUAJIT then
  describe("OpenResty's LuaJIT", function()
    it("is what make and the command use if the system has none", function()
      local prefix, fake = process.folder(), openresty()
      local bare = bare_environment {
        OPENRESTY_PREFIX = fake,
        PATH = without("luajit*", os.getenv "PATH"),
        PKG_CONFIG_LIBDIR = without("luajit.pc",
          run({ "pkg-config", "--variable=pc_path", "pkg-config" }, {})
            :match "[^\n]*"),
      }
      run({ "make", "-s", "install", "LUA=luajit", "CFLAGS=-O0",
        "PREFIX=" .. prefix }, { cwd = copy_of_checkout(), env = bare })
      try(prefix)
      try_help(prefix)
      assert.matches("LUA='" .. fake .. "/luajit/bin/luajit'\n",
        process.read(prefix .. "/bin/flexhooks"), 1, true)
    end)

    it("is not used if the system has one", function()
      local out = run({ "make", "-n", "install", "LUA=luajit" },
        { env = bare_environment { OPENRESTY_PREFIX = openresty() } })
      assert.equal("LUA='luajit'", out:match "LUA='[^']*'")
    end)

    it("is what a rock uses that is made for it", function()
      local tree, fake = process.folder(), openresty()
      luarocks(tree, "--lua-dir=" .. fake .. "/luajit")
      try(tree)
      assert.matches("LUA='" .. fake .. "/luajit/bin/luajit'\n",
        process.read(tree .. "/bin/flexhooks"), 1, true)
    end)
  end)
end

describe("a Lua that cannot run flexhooks", function()
  local function refusal(...)
    local status, _, err = process.run({ "make", "-n", ... },
      { env = bare_environment() })
    assert.not_equal(0, status)
    return err
  end

  -- An interpreter that says it is another version's.
  local function other_lua(version)
    local path = process.write(process.folder() .. "/lua", ([[#!/bin/sh
exec lua5.4 -e '_VERSION = "%s"' "$@"
]]):format(version))
    run({ "chmod", "755", path }, {})
    return path
  end

  it("is refused by make", function()
    assert.matches("LUA=lua5.3 is not known here: it is one of lua5.4 luajit",
      refusal "LUA=lua5.3", 1, true)
    assert.matches("needs Lua 5.4 or LuaJIT: .* is Lua5%.3",
      refusal("ROCK_LUA=" .. other_lua "Lua 5.3"))
    assert.matches("needs Lua 5.4 or LuaJIT: false is neither",
      refusal "ROCK_LUA=false", 1, true)
  end)

  it("is refused by the command", function()
    local function message(lua)
      local status, out, err = process.run({ "bin/flexhooks", "--help" },
        { env = bare_environment { LUA = lua } })
      assert.equal(1, status)
      assert.equal("", out)
      return err
    end
    for _, version in ipairs { "Lua 5.1", "Lua 5.2", "Lua 5.3" } do
      assert.equal("flexhooks: " .. version .. " cannot run it: set LUA to "
        .. "lua5.4 or luajit\n", message(other_lua(version)))
    end
    assert.equal("flexhooks: no-such-lua is not installed, or not on PATH\n",
      message "no-such-lua")
  end)
end)

describe("a module that is missing", function()
  -- Runs a copy of the command that finds no module but ours.
  local function message(parts)
    local dir = process.folder()
    run({ "sh", "-c", "cp -r bin " .. parts .. " " .. dir }, {})
    local status, out, err = process.run({ dir .. "/bin/flexhooks", "--help" },
      { env = { LUA = process.lua, LUA_PATH = "/?", LUA_CPATH = os.getenv
        "LUA_CPATH":match "^[^;]*" } })
    assert.equal(1, status)
    assert.equal("", out)
    return err
  end

  it("is named, with what installs it", function()
    assert.equal(("flexhooks: the module argparse is missing for %s: luarocks "
      .. "--lua-version=%s install argparse\n"):format(LUAJIT and "LuaJIT"
      or "Lua 5.4", ABI), message "lua")
  end)
end)

describe("the version", function()
  it("is the same everywhere", function()
    local version = require "flexhooks"._VERSION
    local function text(path)
      return process.read(path)
    end
    assert.equal(version, text "Makefile":match "\nVERSION = (%S+)")
    assert.equal(version .. "-1", text(ROCKSPEC):match '\nversion = "(.-)"')
    assert.equal("flexhooks-" .. version .. "-1.rockspec", ROCKSPEC)
  end)
end)
