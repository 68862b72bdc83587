-- A poller, secrets, and a request that a listener of our own answers: without
-- memory a call fails or raises, and never gives half an answer for a whole.
local core = require "flexhooks.core"
local listeners = require "flexhooks.core.listener"

local BODY = ("0123456789"):rep(2000)

local function serve(listener)
  listener:run()
  local request = listener:next()
  if request then
    local method, target, body = request:read()
    assert(method == "POST" and target == "/a",
      "wrong: another request")
    assert(body == BODY, "wrong: another body")
    request:reply(200, { ["content-type"] = "text/plain" }, BODY)
  end
end

-- Gives up in time: what fails for lack of memory may do so silently.
local function exchange(poller, pool, listener, request)
  local deadline = core.clock() + 2
  repeat
    poller:wait(0.001)
    serve(listener)
    if pool:next() then
      return request:result()
    end
  until core.clock() > deadline
end

return function()
  assert(core.url("http://u@h:1/p?q#f").host == "h", "wrong: another host")
  local listener = listeners.new { host = "127.0.0.1", port = 0 }
  local poller = core.poller()
  local pool = poller and core.pool(poller, { max_connections = 2 })
  if not (listener and pool) then
    return nil
  end
  -- Closed by hand: Lua gives up a finalizer that it has no memory to call.
  local password = core.secret "password"
  local proof = core.basic("user", password)
  local request = pool:start {
    method = "POST", url = "http://127.0.0.1:" .. listener:port() .. "/a",
    headers = { "x-a: b" }, body = BODY, timeout = 2,
    authorization = proof,
    max_response = 65536,
  }
  if not request then
    return nil
  end
  local status, _, body = exchange(poller, pool, listener, request)
  if status then
    assert(status >= 400 or body == BODY, "wrong: another answer")
  end
  password:close()
  proof:close()
  request:close()
  pool:close()
  listener:close()
  poller:close()
  return status == 200
end
