-- The limit of one header left out the colon and the space of its line: one
-- two bytes longer passed.
local core = require "flexhooks.core.listener"
local socket = require "socket"

local function status_of(line)
  local listener = assert(core.new { host = "127.0.0.1", port = 0,
    header = 64 })
  local client = assert(socket.connect("127.0.0.1", listener:port()))
  client:send("GET / HTTP/1.1\r\nHost: a\r\n" .. line .. "\r\n\r\n")
  client:settimeout(0)
  local status
  for _ = 1, 500 do
    listener:run()
    local request = listener:next()
    if request then
      request:reply(404, nil, "")
    end
    status = client:receive "*l" or status
    if status then
      break
    end
    socket.sleep(0.01)
  end
  client:close()
  listener:close()
  return status and tonumber(status:match "^HTTP/1.1 (%d+)")
end

describe("a header's limit", function()
  it("counts its whole line", function()
    assert.equal(404, status_of("X: " .. ("a"):rep(61)))
    assert.equal(431, status_of("X: " .. ("a"):rep(62)))
    assert.equal(431, status_of("X: " .. ("a"):rep(63)))
  end)
end)
