-- tools/nginx over stubs of nginx, which print how they are built and their
-- arguments. The specs that start an nginx run the real ones.
local process = require "spec.support.process"

-- An nginx whose configuration had `arguments`; modules in `files` are there.
local function stub(dir, name, arguments, files)
  for _, file in ipairs(files or {}) do
    process.write(dir .. "/" .. file .. ".so", "")
  end
  local path = process.write(dir .. "/" .. name, ([[#!/bin/sh
case $1 in
  -V) printf 'nginx version: nginx/1.22.1\nconfigure arguments: %s\n' >&2 ;;
  *) printf '%%s\n' "$@" ;;
esac
]]):format(arguments))
  process.run { "chmod", "755", path }
  return path
end

-- What that nginx is told, a line for each argument; the user is that of a
-- master which is root.
local function told(env)
  local status, out, err = process.run({ process.top .. "/tools/nginx", "-p",
    "a folder", "-t" }, { env = env })
  assert.equal(0, status, err)
  return (out:gsub(" user root;", ""):gsub("^%-g\n\n", ""))
end

local MODULES = { "ndk_http_module", "ngx_http_lua_module" }
local GIVEN = "-p\na folder\n-t\n"

describe("tools/nginx", function()
  local dir

  before_each(function()
    dir = process.folder()
  end)

  it("loads the module of an nginx that has it as files", function()
    local path = stub(dir, "nginx", "--prefix=/x --modules-path=" .. dir
      .. " --with-debug", MODULES)
    assert.equal(("-g\n load_module %s/ndk_http_module.so; load_module "
      .. "%s/ngx_http_lua_module.so;\n%s"):format(dir, dir, GIVEN),
      told { FLEXHOOKS_NGINX = path })
  end)

  it("loads no file that does not exist", function()
    local path = stub(dir, "nginx", "--modules-path=" .. dir)
    assert.equal(GIVEN, told { FLEXHOOKS_NGINX = path })
  end)

  it("loads no file if the module is built in", function()
    local path = stub(dir, "nginx", "--add-module=../ngx_lua-0.10.29", MODULES)
    assert.equal(GIVEN, told { FLEXHOOKS_NGINX = path })
  end)

  it("takes the nginx of PATH if it is told of no other", function()
    stub(dir, "nginx", "")
    local path = dir .. ":" .. os.getenv "PATH"
    for _, given in ipairs { false, "" } do
      assert.equal(GIVEN, told { FLEXHOOKS_NGINX = given, PATH = path })
    end
  end)

  it("names the variable if there is no such program", function()
    local status, out, err = process.run({ "tools/nginx", "-t" },
      { env = { FLEXHOOKS_NGINX = "/nowhere/nginx" } })
    assert.equal(127, status)
    assert.equal("", out)
    assert.matches("no program /nowhere/nginx", err, 1, true)
    assert.matches("FLEXHOOKS_NGINX=/path/to/nginx", err, 1, true)
  end)
end)
