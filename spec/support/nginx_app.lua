-- A receiver in a real nginx, for specs.
--
--   local server = nginx_app.start { workers = 4 }
--   nginx_app.post(server, fields, more)   a signed event; what was answered
--   nginx_app.ask(server, request)         any of spec.support.deliveries
--   nginx_app.begin(server, fields, more) -> peer; nginx_app.answer(peer)
--   nginx_app.get(server, target)
--   nginx_app.value(server, name)          what a handler has noted
local d = require "spec.support.deliveries"
local nginx = require "spec.support.nginx"
local process = require "spec.support.process"
local sids = require "spec.data.sids"
local wire = require "spec.support.wire"

local M = {}

-- What the application of these specs does with an event is told by its
-- fields.
M.app = [[
local flexhooks = require "flexhooks"
local router = flexhooks.router()
local dict = ngx.shared.flexhooks

router:on("*", function(event, context)
  dict:incr("spec:handled", 1, 0)
  dict:set("spec:pid", ngx.worker.pid())
  context.log("info", "handled")
end)

router:on("*", { Do = "call" }, function(event)
  return flexhooks.http(event.Url, { timeout = 10, expect = event.Expect })
end)

router:on("*", { Do = "fail" }, function()
  error "as it was told"
end)

router:on("*", { Do = "log" }, function(event, context)
  context.log("warn", ("m"):rep(2 ^ 20), { a = ("a"):rep(2 ^ 20), b = 1 })
end)

router:on("*", { Do = "tasks" }, function(event)
  local doubled = flexhooks.map({ 1, 2, 3 }, 2, function(n)
    flexhooks.sleep(0.01)
    return 2 * n
  end)
  local task = flexhooks.spawn(function(a) return a end, doubled[3])
  local endless = flexhooks.spawn(function() return flexhooks.sleep(60) end)
  endless:cancel()
  local _, err = endless:wait()
  local _, raised = flexhooks.spawn(error, "raised"):wait()
  dict:set("spec:tasks", doubled[1] .. doubled[2] .. task:wait() .. err.kind
    .. raised.kind)
end)

router:on("*", { Do = { "nap", "nap and fail" } }, function(event)
  flexhooks.sleep(0.3)
  if event.Do ~= "nap" then
    error "after a nap"
  end
end)

router:on("*", { Do = "oversleep" }, function()
  local ok, err = flexhooks.sleep(30)
  dict:set("spec:slept", tostring(ok) .. err.kind)
end)

return {
  router = router, auth_token = "a-token-of-ours", handler_timeout = 5,
  account_sid = "]] .. sids.account .. [[",
  public_url = "https://h.example/flex/events",
  sources = { ["https://h.example/flex/one"] = "interaction" },
  methods = { "POST", "GET" },
}
]]

M.http = [[
  lua_shared_dict flexhooks 10m;
  client_body_buffer_size 4k;
  client_max_body_size 2m;
  init_by_lua_block { require "flexhooks.nginx" }
]]

local SERVER = [[
  location = /metrics { content_by_lua_block {
    require("flexhooks.nginx").metrics() } }
  location = /healthz { content_by_lua_block {
    require("flexhooks.nginx").health() } }
  location = /slow { content_by_lua_block {
    ngx.sleep(0.5)
    ngx.say "slow" } }
  location = /held { content_by_lua_block {
    local dict = ngx.shared.flexhooks
    dict:incr("spec:held", 1, 0)
    while not dict:get "spec:let_go" do
      ngx.sleep(0.05)
    end
    ngx.say "held" } }
  location = /let_go { content_by_lua_block {
    ngx.shared.flexhooks:set("spec:let_go", true)
    ngx.say "let go" } }
  location = /connection { content_by_lua_block {
    ngx.shared.flexhooks:set("spec:on the same connection",
      ngx.var.connection_requests)
    ngx.say "ok" } }
  location = /value { content_by_lua_block {
    local text = tostring(ngx.shared.flexhooks:get("spec:"
      .. ngx.unescape_uri(ngx.var.arg_name)))
    ngx.header.content_length = #text
    ngx.print(text)
  } }
  location / { content_by_lua_block {
    require("flexhooks.nginx").handle "app" } }
]]

M.POOL = "thread_pool default threads=4;"

function M.start(changes)
  local options = { main = M.POOL, http = M.http, server = SERVER,
    files = { ["app.lua"] = M.app } }
  for name, value in pairs(changes or {}) do
    options[name] = value
  end
  return nginx.start(options)
end

function M.bytes_of(request)
  return wire.request(request.method, request.target, request.headers,
    request.method ~= "GET" and request.body or request.body ~= ""
      and request.body or nil)
end

function M.ask(server, request)
  local result = wire.send(server.port, M.bytes_of(request),
    { expect = 1, wait = 30 })
  return assert(result.answers[1], "no answer: " .. result.rest)
end

function M.get(server, target)
  return M.ask(server, { method = "GET", target = target, headers = {},
    body = "" })
end

function M.value(server, name)
  return M.get(server, "/value?name=" .. name:gsub(" ", "%%20")).body
end

local function delivery(changes, more)
  local o = more or {}
  o.fields = d.fields(changes)
  return d.post(o)
end

function M.post(server, changes, more)
  return M.ask(server, delivery(changes, more))
end

--- Posts without waiting for the answer; `answer` does that.
function M.begin(server, changes, more)
  local peer = wire.connect(server.port)
  assert(peer:send(M.bytes_of(delivery(changes, more))))
  return peer
end

function M.answer(peer)
  local bytes = wire.read(peer, 30, function(data)
    return #wire.parse(data) > 0
  end)
  peer:close()
  return assert(wire.parse(bytes)[1], "no answer").status
end

--- Waits until handlers have begun `n` times.
function M.begun(server, n)
  process.eventually(function()
    return M.value(server, "handled") == tostring(n)
  end, 10, n .. " handlers")
end

return M
