-- tools/setup on machines with other packages: stubs of apt stand in front, so
-- nothing is installed.
local process = require "spec.support.process"

-- The programs that the script and the stubs run.
local TOOLS = "cat env fold grep mktemp sed sh tail touch tr"

-- A stub runs in the machine's folder: `suite` lists the packages that exist,
-- `lists` is there once the package lists are, `log` says what apt was told.
local STUBS = {
  ["apt-cache"] = [[
    [ -e lists ] || exit 0
    if grep -qx "$2" suite; then
      printf '%s:\n  Candidate: 1.0\n' "$2"
    elif grep -qx "($2)" suite; then
      printf '%s:\n  Candidate: (none)\n' "$2"
    fi]],
  ["apt-get"] = [[
    echo "apt-get $*" >>log
    for word; do
      case $word in
        update) touch lists; [ ! -e broken ]; exit ;;
        install | -* | Dpkg::*) continue ;;
      esac
      if [ ! -e lists ] || ! grep -qx "$word" suite; then
        echo "E: Unable to locate package $word"
        exit 100
      fi
    done]],
  id = "cat uid",
  sudo = 'echo "sudo $*" >>log; [ "$1" = -v ] || exec "$@"',
  -- What they do is for the whole machine.
  tee = "cat >/dev/null",
  chmod = "exit 0",
  rm = "exit 0",
}

local function stub(dir, name, body)
  local path = process.write(dir .. "/bin/" .. name,
    ("#!/bin/sh\ncd '%s' || exit\n%s\n"):format(dir, body))
  process.run { "chmod", "755", path }
end

--- A machine. `suite`: its packages, in one string; `lists = false`: their
--- lists are absent; `broken`: one of its sources is; `uid`; `sudo = false`;
--- `programs`: what is there already, in one string.
local function machine(options)
  local dir = process.folder()
  process.run { "sh", "-c", ([[mkdir %s/bin && for name in %s; do
    ln -s "$(command -v $name)" %s/bin/; done]]):format(dir, TOOLS, dir) }
  for name, body in pairs(STUBS) do
    if options[name] ~= false then
      stub(dir, name, body)
    end
  end
  for name in (options.programs or ""):gmatch "%S+" do
    stub(dir, name, "exit 0")
  end
  process.write(dir .. "/suite", options.suite:gsub("%s+", "\n") .. "\n")
  process.write(dir .. "/uid", options.uid or "0")
  if options.lists ~= false then
    process.write(dir .. "/lists", "")
  end
  if options.broken then
    process.write(dir .. "/broken", "")
  end
  return dir
end

-- Runs the script there for `what` ("demo" where absent); returns status,
-- message, and what apt was told.
local function setup(dir, env, what)
  env = env or {}
  env.PATH, env.TMPDIR, env.SETUP = dir .. "/bin", dir, env.SETUP or false
  local status, out, err = process.run({ "sh", process.top .. "/tools/setup",
    what or "demo", "luajit" }, { env = env })
  assert.equal("", out)
  return status, err, process.read(dir .. "/log")
end

-- What a bare machine needs for it beside LuaJIT; certificates are there
-- wherever the specs run.
local COMMON = "make gcc libc6-dev pkg-config libcurl4-openssl-dev libssl-dev "
  .. "libmicrohttpd-dev lua-argparse "
local BEFORE_13 = "luajit2 libluajit2-5.1-dev"
local SINCE_13 = "luajit libluajit-5.1-dev"

local function sorted(words)
  local list = {}
  for word in words:gmatch "%S+" do
    list[#list + 1] = word
  end
  table.sort(list)
  return table.concat(list, " ")
end

-- The packages that the last installation named.
local function installed(log)
  local line = log:match ".*( install %-%-no%-install%-recommends [^\n]*)\n"
  return line and sorted(line:match "recommends (.*)")
end

describe("tools/setup", function()
  for suite, names in pairs {
    [BEFORE_13] = BEFORE_13,
    [SINCE_13] = SINCE_13,
    [SINCE_13 .. " " .. BEFORE_13] = BEFORE_13,
    [SINCE_13 .. " (luajit2) (libluajit2-5.1-dev)"] = SINCE_13,
  } do
    it("installs " .. names .. " from a suite with " .. suite, function()
      local status, err, log = setup(machine { suite = COMMON .. suite })
      assert.equal(0, status, err)
      assert.equal(sorted(COMMON .. names), installed(log))
      assert.is_nil(log:find("update", 1, true))
      assert.matches(" " .. names:match "%S+" .. " ", err, 1, true)
    end)
  end

  it("reads the package lists again before it decides on a name", function()
    local status, err, log = setup(machine { suite = COMMON .. SINCE_13,
      lists = false })
    assert.equal(0, status, err)
    assert.matches("update", log, 1, true)
    assert.equal(sorted(COMMON .. SINCE_13), installed(log))
  end)

  it("installs from the other sources if one is broken", function()
    local status, err, log = setup(machine { suite = COMMON .. SINCE_13,
      lists = false, broken = true })
    assert.equal(0, status, err)
    assert.equal(sorted(COMMON .. SINCE_13), installed(log))
  end)

  it("fails with apt's message if the suite has none of the names", function()
    local status, err = setup(machine { suite = COMMON })
    assert.equal(1, status)
    assert.matches("E: Unable to locate package luajit2\n", err, 1, true)
    assert.is_nil(err:find("|", 1, true))
  end)

  it("only lists the packages if SETUP is no", function()
    local status, err, log = setup(machine { suite = COMMON .. SINCE_13 },
      { SETUP = "no" })
    assert.equal(1, status)
    assert.matches(" libluajit-5.1-dev ", err, 1, true)
    assert.matches("Not installed, because SETUP=no.\n", err, 1, true)
    assert.equal("", log)
  end)

  it("asks for root's rights through sudo", function()
    local status, err, log = setup(machine { suite = COMMON .. SINCE_13,
      uid = "1000" })
    assert.equal(0, status, err)
    assert.matches("^sudo %-v\n", log)
    assert.matches("sudo env DEBIAN_FRONTEND=noninteractive apt-get", log, 1,
      true)
    assert.equal(sorted(COMMON .. SINCE_13), installed(log))
  end)

  it("prints the command for root if there is no sudo", function()
    local status, err, log = setup(machine { suite = COMMON .. SINCE_13,
      uid = "1000", sudo = false })
    assert.equal(1, status)
    local names = err:match
      "As root: apt%-get install %-%-no%-install%-recommends ([^\n]*)\n"
    assert.equal(sorted(COMMON .. SINCE_13), sorted(names))
    assert.equal("", log)
  end)

  it("names the packages if there is no apt-get", function()
    local status, err = setup(machine { suite = "", ["apt-get"] = false,
      ["apt-cache"] = false })
    assert.equal(1, status)
    assert.matches(" libmicrohttpd-dev ", err, 1, true)
    assert.matches("has no apt-get", err, 1, true)
  end)

  it("says nothing if everything is there", function()
    local status, err, log = setup(machine { suite = "",
      programs = "make cc pkg-config luajit" })
    assert.equal(0, status, err)
    assert.equal("", err .. log)
  end)

  for name, row in pairs {
    ["the Lua module for an nginx that lacks it"] = { "--with-threads", true },
    ["nothing for an nginx that has it built in"] = {
      "--add-module=../ngx_lua-0.10.29 --with-threads", false },
    ["nothing if FLEXHOOKS_NGINX names an nginx"] = { "", false,
      "/usr/local/openresty/nginx/sbin/nginx" },
  } do
    it("installs " .. name, function()
      local dir = machine { suite = "" }
      stub(dir, "nginx", ("echo 'configure arguments: %s' >&2"):format(row[1]))
      local status, err, log = setup(dir, { SETUP = "no",
        FLEXHOOKS_NGINX = row[3] or false }, "demo-nginx")
      assert.equal(1, status)
      assert.equal("", log)
      assert.matches(" gcc ", err, 1, true)
      assert.equal(row[2], err:find("libnginx-mod-http-lua", 1, true) ~= nil)
      assert.is_nil(err:find "[ \n]nginx[ \n]")
    end)
  end
end)
