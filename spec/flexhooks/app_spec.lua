local apps = require "flexhooks.app"
local errors = require "flexhooks.error"
local flexhooks = require "flexhooks"
local process = require "spec.support.process"

local TOKEN = ("0"):rep(32)
local URL = "https://h.example/flex/events"
local APP = [[
local router = require("flexhooks").router()
router:on("onChannelCreated", function() end)
]]

local function file(text, name)
  return process.write(process.folder() .. "/" .. (name or "app.lua"), text)
end

local function load(app, given)
  return apps.load("flexhooks.serve", app, given or {})
end

-- Runs Lua code in a process of its own, with this environment alone.
local function in_environment(env, code)
  local status, out, err = process.run({ process.lua, "-e", code },
    { env = env })
  return status, out .. err
end

describe("app.load", function()
  it("takes a router", function()
    local router = flexhooks.router()
    assert.equal(router, load(router).settings.router)
  end)

  it("takes a table", function()
    local router = flexhooks.router()
    local app = assert(load { router = router, public_url = URL, port = 1 })
    assert.equal(router, app.settings.router)
    assert.equal(URL, app.settings.public_url)
  end)

  it("takes a file that returns either", function()
    assert.is_table(assert(load(file(APP .. "return router"))).settings.router)
    local app = assert(load(file(APP
      .. "return { router = router, port = 5 }")))
    assert.equal(5, app.settings.port)
  end)

  it("finds the modules beside a file", function()
    local folder = process.folder()
    process.write(folder .. "/beside_the_app.lua", "return 7")
    local path = process.write(folder .. "/app.lua", APP
      .. "return { router = router, port = require 'beside_the_app' }")
    local before = package.path
    local app = assert(load(path))
    package.path = before
    assert.equal(7, app.settings.port)
  end)

  it("takes a module by its name", function()
    package.preload.the_app_module = function()
      return { router = flexhooks.router(), port = 9 }
    end
    local app = assert(load "the_app_module")
    package.preload.the_app_module = nil
    package.loaded.the_app_module = nil
    assert.equal(9, app.settings.port)
  end)

  it("takes what is left out from the options", function()
    local app = assert(load({ router = flexhooks.router(), port = 1 },
      { port = 2, grace = 3 }))
    assert.equal(1, app.settings.port)
    assert.equal(3, app.settings.grace)
  end)

  it("puts first what somebody typed", function()
    local app = assert(apps.load("flexhooks serve",
      { router = flexhooks.router(), port = 1, grace = 1, worker = true },
      { port = 2 }, { typed = { port = 3, worker = false } }))
    assert.equal(3, app.settings.port)
    assert.equal(1, app.settings.grace)
    assert.is_false(app.settings.worker)
  end)

  it("takes shared keys from the first place that has a table or a file",
    function()
      local keys = { webhooks_sharedkey_a = "x" }
      local function shared(typed, app, given)
        app.router = flexhooks.router()
        local settings = assert(apps.load("flexhooks serve", app, given,
          { typed = typed })).settings
        return settings.shared_keys or settings.shared_keys_file
      end
      assert.equal("/f", shared({ shared_keys_file = "/f" },
        { shared_keys = keys }, { shared_keys = print }))
      assert.equal(keys, shared({}, { shared_keys = keys },
        { shared_keys_file = "/f" }))
      assert.equal("/f", shared({}, {}, { shared_keys_file = "/f" }))
      assert.is_nil(shared({}, {}, {}))
    end)

  it("keeps a false that was meant", function()
    local app = assert(load({ router = flexhooks.router(), dedupe = false,
      worker = false }, { worker = true, dedupe = true }))
    assert.equal(false, app.settings.worker)
    assert.equal(false, app.settings.dedupe)
  end)

  local BROKEN = {
    { "a missing file", "/nowhere/app.lua", "cannot load.*/nowhere/app%.lua" },
    { "a missing module", "no_such_module_at_all",
      "module 'no_such_module_at_all' not found:?$" },
    { "a syntax error", "return {", "app%.lua:1: " },
    { "an error while loading", "error 'boom'", "app%.lua:1: boom$" },
    { "an error object while loading",
      "require('flexhooks').router():on('onChanelCreated', print)",
      "did you mean 'onChannelCreated'" },
    { "nothing returned", "local x", "returned nothing; an application" },
    { "a string returned", "return 'router'", "returned string; an app" },
    { "no router", "return { port = 1 }", "has no router" },
  }
  for _, row in ipairs(BROKEN) do
    it("says what is wrong: " .. row[1], function()
      local text, app = row[2], row[2]
      if text:find "[ {]" then
        app = file(text)
      end
      local loaded, err = load(app)
      assert.is_nil(loaded)
      assert.is_true(errors.is(err))
      assert.equal("config", err.kind)
      assert.matches(row[3], err.message)
    end)
  end

  local WRONG = {
    { { rooter = true }, "unknown option 'rooter'.*did you mean 'router'" },
    { { router = {} }, "'router' must be a flexhooks.router" },
    { { port = "80" }, "'port' must be integer" },
    { { auth_token = true }, "'auth_token' must be a token, or false" },
    { { shared_keys = "x" }, "'shared_keys' must be table or function" },
    { { shared_keys_file = {} }, "'shared_keys_file' must be string" },
    { { shared_key = {} }, "did you mean 'shared_keys'" },
    { { port = 65536 }, "'port' must be at most 65535" },
    { { admin = true }, "'admin' must be host:port, or false" },
    { { limits = { boddy = 1 } }, "unknown limit 'boddy'.*'body'" },
    { { limits = { body = "1" } }, "limits' %.body must be a number" },
    { { limits = { connections = 0 } },
      "limits' %.connections must be a whole number from 1 to 1000000" },
    { { limits = { line = math.huge } }, "%.line must be a whole number" },
    { { limits = { headers = 1.5 } }, "%.headers must be a whole number" },
    { { limits = { header = 1e300 } }, "%.header must be a whole number" },
    { { fd = 1e300 }, "'fd' must be at most 2147483647" },
  }
  for _, row in ipairs(WRONG) do
    it("raises for a setting that cannot be: " .. row[2], function()
      local ok, err = pcall(load, row[1])
      assert.is_false(ok)
      assert.is_true(errors.is(err))
      assert.matches(row[2], err.message)
    end)
  end

  it("takes what is left out from the environment", function()
    local status, text = in_environment({
      FLEXHOOKS_PUBLIC_URL = URL, TWILIO_AUTH_TOKEN = TOKEN }, [[
      local apps = require "flexhooks.app"
      local router = require("flexhooks").router()
      local s = assert(apps.load("f", { router = router }, {})).settings
      assert(s.auth_token == os.getenv "TWILIO_AUTH_TOKEN")
      s = assert(apps.load("f", { router = router, public_url = "https://a/" },
        {})).settings
      print(s.public_url, s.client, s.queue)]])
    assert.equal(0, status, text)
    assert.matches("^https://a/%s+nil%s+nil%s$", text)
  end)

  it("makes a client of the environment's credentials", function()
    local code = [[
      local apps = require "flexhooks.app"
      local app = { router = require("flexhooks").router() }
      local client = assert(apps.load("f", app, {})).settings.client
      print(type(client), client and client.account_sid)
      app.client = function() end
      assert(apps.load("f", app, {}).settings.client == app.client)]]
    local sid = "AC" .. ("a"):rep(32)
    local status, text = in_environment({ TWILIO_ACCOUNT_SID = sid,
      TWILIO_AUTH_TOKEN = TOKEN }, code)
    assert.equal(0, status, text)
    assert.matches("^table%s+" .. sid, text)
    status, text = in_environment({ TWILIO_AUTH_TOKEN = TOKEN }, code)
    assert.equal(0, status, text)
    assert.matches("^nil", text)
  end)

  it("says which environment cannot make a client", function()
    local status, text = in_environment({ TWILIO_ACCOUNT_SID = "ACshort",
      TWILIO_AUTH_TOKEN = TOKEN }, [[
      local apps = require "flexhooks.app"
      print(apps.load("f", { router = require("flexhooks").router() }, {}))]])
    assert.equal(0, status, text)
    assert.matches("config: the client of the environment", text)
    assert.is_nil(text:find(TOKEN, 1, true))
  end)
end)

describe("an application", function()
  local function made(given)
    given.router = given.router or flexhooks.router()
    return assert(load(given))
  end

  it("makes its receiver", function()
    local receiver = assert(made({ auth_token = TOKEN, public_url = URL,
      methods = { "GET" }, limits = { body = 7, idle_time = 3 } }):receiver())
    assert.equal("GET", receiver:allow())
    assert.equal(7, receiver.limits.body)
  end)

  for _, url in ipairs { "", "/relative", "ftp://h.example/x",
    "https://h.example/a b", "https://h.example/" .. ("x"):rep(3000) } do
    it("refuses the public URL '" .. url:sub(1, 30) .. "'", function()
      local receiver, err = made({ auth_token = TOKEN, public_url = url })
        :receiver()
      assert.is_nil(receiver)
      assert.equal("config", err.kind)
    end)
  end

  it("says what its worker lacks", function()
    local worker, err = made({}):worker()
    assert.is_nil(worker)
    assert.equal("config", err.kind)
    assert.matches("has no queue", err.message)
  end)

  it("opens a queue by its URL and gives it to receiver and worker", function()
    local app = made { auth_token = TOKEN, public_url = URL, queue = "memory:",
      concurrency = 3 }
    assert.is_table(app.settings.queue)
    assert(app:receiver())
    assert.equal(3, assert(app:worker()).concurrency)
  end)

  it("lets a queue that it opens say something", function()
    local function mine() end
    local function hosts() end
    for wanted, given in pairs { [mine] = { logger = mine }, [hosts] = {} } do
      local app = assert(apps.load("flexhooks.serve", { queue = "redis://h" },
        given, { logger = hosts }))
      assert.equal(wanted, app.settings.queue.backend.settings.logger)
      app:close()
    end
  end)

  it("refuses a queue that nobody knows", function()
    local app, err = load { router = flexhooks.router(), queue = "mysql:x" }
    assert.is_nil(app)
    assert.equal("config", err.kind)
  end)

  it("names its limits as a listener does", function()
    assert.same({ body = 5, header_count = 6, idle_time = 7 },
      made({ limits = { body = 5, headers = 6, idle_time = 7, params = 8 } })
        :listener_limits())
  end)
end)
