-- A shared key is exchanged for another while a thousand events a second come:
-- both are live, then the new one alone.
local d = require "spec.support.deliveries"
local process = require "spec.support.process"
local rotation = require "spec.support.rotation"
local servers = require "spec.support.server"
local socket = require "socket"

describe("a rotation of shared keys", function()
  it("refuses nothing while servers take over from each other", function()
    local listening = assert(socket.bind("127.0.0.1", 0, 1024))
    local _, port = listening:getsockname()
    local path = process.folder() .. "/keys"
    local function serve(...)
      rotation.write(path, ...)
      return servers.start { options = { fd = listening:getfd() },
        app = ([[app.auth_token, app.public_url = false, %q
          app.shared_keys_file = %q]]):format(d.url, path) }
    end
    local first = serve "old"
    local load = rotation.start(port)
    local both = serve("old", "new")
    assert.equal(0, first.child:stop())
    load "old new"
    load "new"
    local last = serve "new"
    assert.equal(0, both.child:stop())
    load "new"
    rotation.check(load "stop")
    assert.equal(0, last.child:stop())
    listening:close()
  end)
end)
