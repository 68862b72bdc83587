-- Calls that leave from a real nginx, for specs of its transports.
--
--   local calls = nginx_calls.start { configure = "transport = 'resty'" }
--   calls:send(request, options) -> response | nil, err
--   calls:ask(path) -> body  anything else that it answers
--   calls.server             the nginx
--
-- `request` is what a transport takes and `options` what makes one; transports
-- with equal options are one. `main` and `http` are configuration put into
-- those blocks; `configure` is what flexhooks.nginx.configure is given, and
-- `library = false` hides lua-resty-http. A third
-- argument of `send` may cut the call: `deadline` or `cancel` seconds after it
-- began, or `abandon`, which ends the request around it.
local json = require "flexhooks.json"
local mime = require "mime"
local nginx = require "spec.support.nginx"
local resty_http = require "spec.support.resty_http"
local wire = require "spec.support.wire"

local M = {}

local HTTP = [[
  lua_shared_dict flexhooks 1m;
  client_body_buffer_size 8m;
  client_max_body_size 8m;
  init_by_lua_block {
    if %q ~= "" then
      package.path = %q .. package.path
    else
      package.preload["resty.http"] = function()
        error("module 'resty.http' not found: nobody installed it", 0)
      end
    end
    require("flexhooks.nginx").configure { %s }
    local json = require "flexhooks.json"
    local host = require "flexhooks.runtime.current"
    local made = {}
    local function transport(options)
      local key = json.encode(options)
      made[key] = made[key] or host.transport(options)
      return made[key]
    end
    local function hex(text)
      return (text:gsub(".", function(c)
        return ("%%02x"):format(c:byte())
      end))
    end
    function call(asked)
      asked.request.body = asked.body and ngx.decode_base64(asked.body)
      local answer, err = transport(asked.options or {}):send(asked.request)
      if answer then
        answer.body = hex(answer.body)
        return answer
      end
      return { kind = err.kind, message = tostring(err), sent = err.sent,
        method = err.method, url = err.url }
    end
    local function under_deadline(asked)
      local token = host.enter(host.clock() + asked.deadline)
      local answer = call(asked)
      answer.expired = host.leave(token)
      return answer
    end
    local function cancelled(asked)
      local task = host.spawn(call, asked)
      ngx.sleep(asked.cancel)
      task:cancel()
      return { status = 200, headers = {}, body = hex(task:wait().kind) }
    end
    local function abandoned(asked)
      ngx.thread.spawn(function()
        ngx.sleep(0.1)
        ngx.print(json.encode { kind = "abandoned" })
        ngx.exit(200)
      end)
      return call(asked)
    end
    function answer_calls()
      ngx.req.read_body()
      local asked = json.decode((ngx.req.get_body_data()))
      local how = asked.deadline and under_deadline
        or asked.cancel and cancelled or asked.abandon and abandoned or call
      local answer = how(asked)
      collectgarbage()
      ngx.print(json.encode(answer))
    end
  }
]]

local SERVER = [[
  location = /call { content_by_lua_block { answer_calls() } }
  location = /ok { content_by_lua_block { ngx.say "ok" } }
]]

local Calls = { __name = "nginx.calls" }
Calls.__index = Calls

function M.start(options)
  local path = options.library ~= false and resty_http.path or ""
  local server = nginx.start {
    main = options.main,
    http = HTTP:format(path, path, options.configure or "")
      .. (options.http or ""),
    server = SERVER .. (options.server or ""),
  }
  return setmetatable({ server = server }, Calls)
end

local function unhex(text)
  return (text:gsub("..", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

-- Answers of HTTP/1.0 end with their connection.
function Calls:peer(method, path, body)
  local peer = wire.connect(self.server.port)
  assert(peer:send((wire.request(method, path, {}, body)
    :gsub("HTTP/1%.1", "HTTP/1.0", 1))))
  return peer
end

--- Begins a call: a peer for `finish`.
function Calls:begin(request, options, more)
  local asked = { request = {}, options = options }
  for name, value in pairs(request) do
    asked.request[name] = value
  end
  for name, value in pairs(more or {}) do
    asked[name] = value
  end
  asked.body, asked.request.body = request.body and mime.b64(request.body), nil
  return self:peer("POST", "/call", assert(json.encode(asked)))
end

function M.finish(peer, wait)
  local bytes = wire.read(peer, wait or 30, function()
    return false
  end)
  peer:close()
  local body = assert(bytes:match "\r\n\r\n(.*)$", "no answer")
  local answer = assert(json.decode(body))
  if answer.body then
    answer.body = unhex(answer.body)
    return answer
  end
  return nil, answer
end

function Calls:ask(path)
  local bytes = wire.read(self:peer("GET", path), 30, function()
    return false
  end)
  return bytes:match "\r\n\r\n(.*)$"
end

--- Sends a request from nginx.
function Calls:send(request, options, more)
  return M.finish(self:begin(request, options, more))
end

return M
