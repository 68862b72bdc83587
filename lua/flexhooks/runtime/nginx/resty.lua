--- The transport through lua-resty-http, for an nginx without a thread pool.
--
-- The library connects, sends and finds the end of a body. In place of its
-- socket it gets `flexhooks.runtime.nginx.strict_socket`. A call runs in a
-- light thread of its own, which is killed when the caller's time is over, so
-- that no look-up, handshake or response outlives it.
-- @module flexhooks.runtime.nginx.resty

local ascii = require "flexhooks.util.ascii"
local core = require "flexhooks.core"
local errors = require "flexhooks.error"
local transport_error = require "flexhooks.runtime.transport_error"
local strict_socket = require "flexhooks.runtime.nginx.strict_socket"
local runtime = require "flexhooks.runtime.nginx.runtime"
local semaphores = require "flexhooks.runtime.nginx.semaphore"
local url_of = require "flexhooks.url"

local M = {}

local CONNECT_TIMEOUT = 10 -- seconds, unless the request says
local ENDLESS = 86400000 -- ms; what a socket may be told at most
local KEEP, KEPT = 60000, 32 -- ms that a connection may idle, and how many may
local PIECE = 16384 -- bytes of a body at once
local MAX_CONNECTIONS = 128

local REPEATABLE = { GET = true, HEAD = true, OPTIONS = true, PUT = true,
  DELETE = true }

-- Methods, in any case, that later versions of lua-resty-http refuse to send
-- without a body: an empty one is a string to them, and to older versions too.
local WITH_BODY = { post = true, put = true, patch = true }

local made = 0 -- transports of this worker; each has connections of its own

--- lua-resty-http, or nil and why it cannot be used.
---@return table? library
---@return string? why
function M.library()
  local ok, library = pcall(require, "resty.http")
  if ok and type(library) == "table" and library.read_response then
    return library
  elseif ok then
    return nil, "the lua-resty-http that was found is too old: 0.16 or newer "
      .. "is needed"
  end
  return nil, (tostring(library):gsub("\n.*", ""))
end

-- --- what is sent --------------------------------------------------------

local DEFAULTS = { ["accept"] = { "Accept", "*/*" },
  ["accept-encoding"] = { "Accept-Encoding", "identity" },
  ["user-agent"] = { "User-Agent", "flexhooks" } }

local function add_values(list, value)
  for _, one in ipairs(type(value) == "table" and value or { value }) do
    list[#list + 1] = ascii.trimmed(tostring(one))
  end
end

-- Name -> list of values; names that differ in their case alone are one. Nil
-- and what is wrong where the library would send another name.
local function compose_headers(given)
  local headers, names = {}, {}
  for name, value in pairs(given or {}) do
    if name:find("_", 1, true) then
      return nil, "a header's name with an underscore in it cannot be sent "
        .. "through lua-resty-http, which makes it a hyphen"
    end
    local spelt = names[ascii.lower(name)] or name
    names[ascii.lower(name)] = spelt
    headers[spelt] = headers[spelt] or {}
    add_values(headers[spelt], value)
  end
  for name, default in pairs(DEFAULTS) do
    if not names[name] then
      headers[default[1]] = { default[2] }
    end
  end
  return headers, nil, names["accept-encoding"] ~= nil
end

-- Where to, as the library takes it; the URL was checked.
local function target_of(url)
  local scheme, authority, path = url:match "^(%a+)://([^/?#]*)([^#]*)"
  local name, port = authority:match "^(.-):(%d+)$"
  scheme = ascii.lower(scheme)
  return {
    scheme = scheme, host = name or authority,
    port = tonumber(port) or (scheme == "https" and 443 or 80),
    path = path:sub(1, 1) == "/" and path or "/" .. path,
  }
end

-- A socket of nginx does not say to which address a name led. Over TLS the
-- certificate says who answers there; a proxy of one's own looks up itself.
local function is_uncertain(transport, request, to)
  return (not transport.private_addresses
      or request.private_addresses == false)
    and to.scheme == "http" and not transport.proxy_opts
end

local UNCERTAIN = "lua-resty-http does not tell private addresses from public "
  .. "ones, which private_addresses = false asks for: use https, or a "
  .. "thread_pool"

-- The request as a call under way, or nil, kind and what is wrong.
local function call_of(transport, request)
  local method = request.method or "GET"
  local ok, wrong = core.check_call { method = method,
    url = request.url, headers = request.headers, body = request.body }
  if not ok then
    return nil, "argument", wrong
  end
  local headers, unsupported, encodable = compose_headers(request.headers)
  if not headers then
    return nil, "unsupported", unsupported
  end
  local to = target_of(request.url)
  if is_uncertain(transport, request, to) then
    return nil, "unsupported", UNCERTAIN
  end
  return {
    transport = transport, to = to, encodable = encodable,
    method = method, headers = headers,
    body = request.body or WITH_BODY[ascii.lower(method)] and "" or nil,
    max = request.max_response or transport.max_response,
    stall = request.stall_timeout,
    pool = ("%s:%s://%s:%d"):format(transport.pool, to.scheme, to.host,
      to.port),
  }
end

-- --- one exchange --------------------------------------------------------

local function milliseconds(seconds)
  return seconds and math.max(1, math.min(ENDLESS, seconds * 1000)) or ENDLESS
end

local function open(call)
  local library, why = M.library()
  local http
  if library then
    http, why = library.new()
  end
  if not http then
    return nil, { kind = "unsupported", message = tostring(why) }
  end
  local stall = milliseconds(call.stall)
  http:set_timeouts(milliseconds(call.connect_timeout), stall, stall)
  call.guard = strict_socket.new(http.sock)
  http.sock = call.guard
  return http
end

-- A proxy that answers badly was not the peer: nothing went out.
local function connect_failure(guard, err)
  local failure = guard.failure or { kind = "connect", message = err }
  if guard.stage == "connect" and (failure.kind == "reset"
    or failure.kind == "protocol" or failure.kind == "too_large") then
    failure.kind = "connect"
  end
  return failure
end

local function connect(call)
  local http, failure = open(call)
  if not http then
    return nil, failure
  end
  local to = call.to
  local ok, err = http:connect { scheme = to.scheme, host = to.host,
    port = to.port, ssl_verify = true, pool = call.pool, pool_size = KEPT,
    ssl_server_name = to.scheme == "https" and to.host or nil,
    proxy_opts = call.transport.proxy_opts }
  if not ok then
    return nil, connect_failure(call.guard, err)
  end
  call.guard:begin()
  return http
end

local TOO_LARGE = { kind = "too_large",
  message = "the answer is larger than allowed" }
local ENCODED = { kind = "protocol",
  message = "the answer is encoded though no encoding was asked for" }

local function declared(guard)
  local length = guard.head.length
  return length and tonumber(length) or 0
end

local function read_body(call, response)
  local pieces, size = {}, 0
  if not response.has_body then
    return ""
  elseif declared(call.guard) > call.max then
    return nil, TOO_LARGE
  end
  repeat
    local piece, err = response.body_reader(PIECE)
    size = size + #(piece or "")
    pieces[#pieces + 1] = piece
    if call.guard.failure or size > call.max then
      return nil, call.guard.failure or TOO_LARGE
    elseif err and err ~= "closed" then
      return nil, { kind = "protocol", message = err }
    end
  until not piece or err
  return table.concat(pieces)
end

local function is_encoded(headers)
  local encoding = headers["content-encoding"]
  return encoding ~= nil and ascii.lower(encoding) ~= "identity"
end

local function ask(call, http)
  local params = { method = call.method, path = call.to.path,
    headers = call.headers, body = call.body, version = 1.1 }
  local ok, err = http:send_request(params)
  local response
  if ok then
    response, err = http:read_response(params)
  end
  local guard = call.guard
  if guard.failure or not response then
    return nil, guard.failure or { kind = "protocol", message = err }
  end
  local body, failure = read_body(call, response)
  if not body then
    return nil, failure
  elseif not call.encodable and is_encoded(guard.head.headers) then
    return nil, ENCODED
  end
  return { status = guard.head.status, headers = guard.head.headers,
    body = body }
end

-- A kept connection may have died since: then its peer has seen nothing, or
-- what may be repeated is sent again.
local function died(call, http, failure)
  return failure.kind == "reset" and REPEATABLE[call.method]
    and not call.guard.answered and (http:get_reused_times() or 0) > 0
end

local function exchange(call)
  while true do
    local http, failure = connect(call)
    local answer
    if http then
      answer, failure = ask(call, http)
    end
    if answer then
      if not http:set_keepalive(KEEP, KEPT) then
        call.guard:close()
      end
      return answer
    end
    local again = http and died(call, http, failure)
    if call.guard then
      call.guard:close()
    end
    if not again then
      return nil, failure
    end
  end
end

local function run(call, answered)
  local ok, answer, failure = pcall(exchange, call)
  if not ok then
    answer, failure = nil, { kind = "reset", message = tostring(answer) }
  end
  call.over = true
  answered:set(answer, failure)
end

-- Connecting has a time of its own, look-up and handshake included, which the
-- socket would count for each of them.
local function wait_for(call, answered)
  local started = runtime.clock()
  local most = call.connect_timeout
  local _, failure = answered:wait(call.timeout
    and math.min(call.timeout, most) or most)
  if not answered:is_set() and call.guard and call.guard.stage == "io" then
    _, failure = answered:wait(call.timeout
      and math.max(0, call.timeout - (runtime.clock() - started)))
  end
  return failure
end

-- `answered` is set by whoever is first: the call, its time, or a caller who
-- waits no longer.
local function supervise(answered, call)
  local thread, why = ngx.thread.spawn(run, call, answered)
  if not thread then
    error(tostring(why), 0)
  end
  answered:set(nil, wait_for(call, answered))
  if call.over then
    ngx.thread.wait(thread)
  else
    ngx.thread.kill(thread)
    if call.guard then
      pcall(call.guard.close, call.guard)
    end
  end
end

-- --- the transport -------------------------------------------------------

local Transport = { __name = "flexhooks.runtime.nginx.resty" }
Transport.__index = Transport

--- Sends one request; see the transport contract.
function Transport:send(request)
  local call, kind, wrong = call_of(self, request)
  if not call then
    return nil, transport_error.new(request, kind, wrong, false)
  end
  local taken, left = self.permits:take(request.timeout)
  if not taken then
    return nil, transport_error.new(request, left.kind, left.message, false)
  end
  call.timeout = left
  call.connect_timeout = request.connect_timeout or CONNECT_TIMEOUT
  local answer, failure = self.permits:run(supervise, call)
  if not answer then
    return nil, transport_error.new(request, failure.kind, failure.message,
      call.guard ~= nil and call.guard.sent)
  end
  return answer
end

--- Connections that idle are closed by nginx.
function Transport.close() end

-- The library's options for a proxy, or nil, kind and what is wrong.
local function proxy_options(proxy)
  local parts, wrong = url_of.parse(proxy:find("://", 1, true) and proxy
    or "http://" .. proxy)
  if not parts then
    return nil, "config", "option 'proxy': " .. wrong
  elseif ascii.lower(parts.scheme) ~= "http" then
    return nil, "unsupported", "lua-resty-http speaks to no " .. parts.scheme
      .. " proxy: use one of http://, or a thread_pool"
  end
  local address = ("http://%s:%d"):format(parts.host, parts.port or 80)
  local proof = parts.user and "Basic " .. ngx.encode_base64(
    ngx.unescape_uri(parts.user) .. ":"
    .. ngx.unescape_uri(parts.password or ""))
  return { http_proxy = address, https_proxy = address,
    http_proxy_authorization = proof, https_proxy_authorization = proof }
end

--- Makes a transport.
---@param settings table `proxy`, `ca_file`, `max_response`,
-- `max_connections`, `private_addresses`
---@return table? transport
---@return flexhooks.Error? err where it cannot do what is asked
function M.new(settings)
  if settings.ca_file then
    return nil, errors.new("unsupported", "lua-resty-http trusts what "
      .. "nginx.conf names and cannot read 'ca_file': set "
      .. "lua_ssl_trusted_certificate in http{}, or declare a thread_pool")
  end
  made = made + 1
  local self = setmetatable({ pool = "flexhooks:" .. made,
    max_response = settings.max_response,
    private_addresses = settings.private_addresses ~= false,
    permits = semaphores.new(settings.max_connections or MAX_CONNECTIONS) },
    Transport)
  if settings.proxy then
    local kind, wrong
    self.proxy_opts, kind, wrong = proxy_options(settings.proxy)
    if not self.proxy_opts then
      return nil, errors.new(kind, wrong)
    end
  end
  return self
end

return M
