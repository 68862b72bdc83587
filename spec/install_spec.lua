-- Installed by make and by LuaRocks, the module and the command work from
-- where they were put.
local process = require "spec.support.process"

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
  out = run({ link, "--help" }, { env = bare_environment { LUA = "false" } })
  assert.matches("Usage: flexhooks", out, 1, true)
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

describe("luarocks make", function()
  it("needs no flags", function()
    local source, tree = copy_of_checkout(), process.folder()
    run({ "luarocks", "--lua-version=" .. ABI, "--tree=" .. tree, "make",
      "--deps-mode=none", ROCKSPEC },
      { cwd = source, env = bare_environment() })
    try(tree)
    try_help(("%s/lib/luarocks/rocks-%s/flexhooks/%s"):format(tree, ABI,
      ROCKSPEC:match "^flexhooks%-(.*)%.rockspec$"))
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
