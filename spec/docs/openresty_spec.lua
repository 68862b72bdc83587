-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
-- docs/openresty.md: its nginx.conf and its application run as they are there,
-- but for ports, paths and the folders of an unprivileged nginx.
local nginx = require "spec.support.nginx"
local process = require "spec.support.process"
local testing = require "flexhooks.testing"
local tls = require "spec.support.tls"

local PAGE = process.read "docs/openresty.md"

-- The snippet that holds a text.
local function snippet(language, text)
  for found in PAGE:gmatch("```" .. language .. "\n(.-)```") do
    if found:find(text, 1, true) then
      return found
    end
  end
  error("the page has no " .. language .. " with " .. text)
end

local function replaced(text, old, new)
  local first, last = text:find(old, 1, true)
  assert(first, "the page has no " .. old)
  return text:sub(1, first - 1) .. new .. text:sub(last + 1)
end

local MAIN = [[
daemon off; pid nginx.pid; error_log error.log warn;
events { worker_connections 256; }
]]

local HTTP = [[
http {
  access_log off; client_body_temp_path body; proxy_temp_path proxy;
  fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  lua_package_cpath "%s/?.so;;";
]]

-- Writes a snippet of nginx.conf as a file of its own.
local function write(dir, text)
  process.write(dir .. "/nginx.conf", MAIN .. replaced(text, "http {\n",
    HTTP:format(nginx.modules())))
end

-- Runs nginx in a folder with what the page's nginx.conf hands on.
local function spawn(dir, ...)
  return process.spawn({ "tools/nginx", "-p", dir, "-e", "error.log", "-c",
    "nginx.conf", ... }, { env = { TWILIO_AUTH_TOKEN = "token" } })
end

-- The page's set-up in a folder, with certificates of the tests.
local function set_up(certificates)
  local server = { dir = process.folder(), port = process.port(),
    admin = process.port() }
  local text = snippet("nginx", "preload")
  for old, new in pairs {
    ['"/etc/flexhooks/?.lua;;"'] = ('"%s/?.lua;%s/lua/?.lua;;"'):format(
      server.dir, process.top),
    ["listen 443 ssl"] = "listen 127.0.0.1:" .. server.port .. " ssl",
    ["listen 127.0.0.1:9180"] = "listen 127.0.0.1:" .. server.admin,
    ["/etc/ssl/company.com.pem"] = certificates .. "/good.pem",
    ["/etc/ssl/company.com.key"] = certificates .. "/good.key",
  } do
    text = replaced(text, old, new)
  end
  write(server.dir, text)
  process.write(server.dir .. "/app.lua", snippet("lua",
    "return { router = router"))
  return server
end

local function curl(...)
  local _, out = process.run { "curl", "-s", "-k", "-w", " %{http_code}", ... }
  return out
end

local function post(server, more)
  local request = testing.request(testing.event "onChannelCreated",
    { auth_token = "token", url = "https://company.com/flex/events" })
  return curl("https://127.0.0.1:" .. server.port .. request.target,
    "--data-binary", request.body .. (more or ""), "-H",
    "X-Twilio-Signature: " .. request.headers["X-Twilio-Signature"])
end

describe("docs/openresty.md", function()
  local server

  setup(function()
    server = set_up(tls.start().dir)
    server.child = spawn(server.dir)
    server.child:wait_port(server.port)
  end)

  it("has a configuration that serves", function()
    assert.equal("{} 200", post(server))
    assert.matches(" 403$", post(server, "&more=1"))
    local admin = "http://127.0.0.1:" .. server.admin
    assert.equal("ok\n 200", curl(admin .. "/healthz"))
    assert.matches("\nflexhooks_events_handled_total 1\n",
      curl(admin .. "/metrics"))
  end)

  it("has further snippets that nginx takes", function()
    local dir = process.folder()
    for _, text in ipairs { "lua_worker_thread_vm_pool_size", "resolver" } do
      write(dir, snippet("nginx", text))
      local child = spawn(dir, "-t")
      assert.equal(0, child:wait(), child:stderr())
    end
  end)

  it("says what finds a mistake in the application, and what does not",
    function()
      process.write(server.dir .. "/app.lua", 'error "a mistake of ours"')
      local tested = spawn(server.dir, "-t")
      assert.equal(0, tested:wait(), tested:stderr())
      server.child:kill "HUP"
      process.eventually(function()
        return process.read(server.dir .. "/error.log")
          :find("a mistake of ours", 1, true)
      end)
      assert.equal("{} 200", post(server))
      assert.equal(0, server.child:stop "QUIT")
      local again = spawn(server.dir)
      assert.equal(1, again:wait())
    end)
end)
