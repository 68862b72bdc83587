-- The README's programs run as they are printed there: provisioning against
-- the simulator, routing in the server, and the test of a router.
local lfs = require "lfs"

local json = require "flexhooks.json"
local process = require "spec.support.process"
local session = require "spec.support.session"

local TOKEN = ("0"):rep(31) .. "1"

-- name -> text of each ```lua block that begins with "-- name".
local function programs()
  local found = {}
  for block in process.read "README.md":gmatch "```lua\n(.-)```" do
    found[block:match "^%-%- (%S+)\n"] = block
  end
  return found
end

local function environment(more)
  local env = { TWILIO_ACCOUNT_SID = "AC" .. ("0"):rep(31) .. "1",
    TWILIO_AUTH_TOKEN = TOKEN, LUA = process.lua }
  for name, value in pairs(more or {}) do
    env[name] = value
  end
  return env
end

local function command(words, env, cwd)
  table.insert(words, 1, process.top .. "/bin/flexhooks")
  return process.spawn(words, { env = environment(env), cwd = cwd })
end

describe("the README", function()
  local folder, simulator, url

  setup(function()
    folder = process.folder()
    for name, text in pairs(programs()) do
      process.write(folder .. "/" .. name, text)
    end
    simulator = command { "simulate", "--port", "0" }
    url = simulator:wait_output "listening on (%S+)"
  end)

  teardown(function()
    simulator:stop()
  end)

  it("provisions", function()
    local status, out, err = process.run({ process.lua, "provision.lua" },
      { cwd = folder, env = environment { FLEXHOOKS_BASE_URL = url } })
    assert.equal(0, status, err)
    assert.matches("^flex_interactionwebhook_%w+\tglobal\thttps://", out)
  end)

  it("routes", function()
    local crm = process.spawn({ process.lua, "-e", [[
      local server = assert(require "socket".bind("127.0.0.1", 0))
      print("port " .. select(2, server:getsockname()))
      io.stdout:flush()
      for _, status in ipairs { "204 No Content", "500 Oops" } do
        local peer = server:accept()
        repeat
          local line = peer:receive "*l"
          io.write(line, "\n")
        until line == ""
        io.write(peer:receive(52), "\n")
        io.stdout:flush()
        peer:send("HTTP/1.1 " .. status .. "\r\ncontent-length: 0\r\n"
          .. "connection: close\r\n\r\n")
        peer:close()
      end]] })
    local port = process.port()
    local public = "http://127.0.0.1:" .. port .. "/flex/events"
    local server = command({ "serve", "app.lua", "--port", tostring(port) }, {
      FLEXHOOKS_PUBLIC_URL = public,
      CRM_URL = "http://127.0.0.1:" .. crm:wait_output "port (%d+)" .. "/",
    }, folder)
    server:wait_output "listening on"
    for _, name in ipairs { "onParticipantJoined", "onParticipantLeft" } do
      local words = { "trigger", name, "--url", public }
      if name == "onParticipantJoined" then
        words[#words + 1] = "ParticipantType=agent"
      end
      local trigger = command(words)
      assert.equal(0, trigger:wait(), trigger:stderr())
      assert.equal("200 {}\n", trigger:stdout())
    end
    local event = assert(json.decode(crm:wait_output "{.*}"))
    assert.matches("^KD%x+$", event.interaction)
    local failed = command { "trigger", "onParticipantLeft", "--url", public }
    assert.equal(1, failed:wait())
    assert.matches("^500", failed:stdout())
    assert.equal(0, server:stop())
    local said = server:stdout() .. server:stderr()
    assert.matches("an agent joined", said)
    assert.matches("the service answered with status 500 instead of 2xx", said,
      1, true)
  end)

  it("queues", function()
    local port = process.port()
    local public = "http://127.0.0.1:" .. port .. "/flex/events"
    local server = command({ "serve", "queued.lua", "--port", tostring(port) },
      { FLEXHOOKS_PUBLIC_URL = public }, folder)
    server:wait_output "listening on"
    local trigger = command { "trigger", "onParticipantJoined", "--url",
      public, "ParticipantType=agent" }
    assert.equal(0, trigger:wait(), trigger:stderr())
    server:wait_output "an agent joined"
    assert.equal(0, server:stop())
    assert.equal("file", lfs.attributes(folder .. "/events.db", "mode"))
  end)

  it("tries it without an account", function()
    local status, out, err = session.run("README.md",
      { match = "^export TWILIO_ACCOUNT_SID=AC0" })
    assert.equal(0, status, out .. err)
    assert.matches("\nflex_interactionwebhook_%w+\tglobal\thttps://", out)
    assert.matches("\n200 {}\n$", out)
  end)

  it("tests a router", function()
    local status, _, err = process.run({ process.lua, "test.lua" }, {
      cwd = folder,
      env = environment {
        LUA_PATH = folder .. "/?.lua;" .. os.getenv "LUA_PATH" },
    })
    assert.equal(0, status, err)
  end)

  it("leads to every page, and to nothing that is not there", function()
    local text = process.read "README.md"
    for target in text:gmatch "%]%(([%w_./]+)%)" do
      assert.is_string(lfs.attributes(target, "mode"), target)
    end
    for page in lfs.dir "docs" do
      if page:find "%.md$" then
        assert.matches("(docs/" .. page .. ")", text, 1, true)
      end
    end
  end)

  it("names packages that tools/setup installs", function()
    local setup = process.read "tools/setup"
    local words = process.read "README.md"
      :match "\napt%-get install (.-)\nluarocks"
    for name in words:gsub("\\", ""):gmatch "%S+" do
      assert.matches("want '?[^\n]*%f[%w]" .. name:gsub("%p", "%%%0")
        .. "%f[^%w.-]", setup)
    end
  end)

  it("names commands that make knows", function()
    local makefile, text = process.read "Makefile", process.read "README.md"
    for _, before in ipairs { "\n", "`", "&& ", "sudo " } do
      for target in text:gmatch(before .. "make ([a-z]+[a-z-]*)") do
        assert.matches("\n" .. target .. ":", makefile, 1, true)
      end
    end
  end)
end)
