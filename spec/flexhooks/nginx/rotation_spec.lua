-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
local nginx_app = require "spec.support.nginx_app"
local process = require "spec.support.process"
local rotation = require "spec.support.rotation"

describe("a rotation of shared keys in nginx", function()
  it("refuses nothing while nginx reloads", function()
    local path = process.folder() .. "/keys"
    rotation.write(path, "old")
    local server = nginx_app.start { workers = 2, files = {
      ["app.lua"] = (nginx_app.app:gsub('auth_token = "[^"]*"',
        ("auth_token = false, shared_keys_file = %q"):format(path))) } }
    local function reload(...)
      local before = server:workers()
      rotation.write(path, ...)
      server:reload()
      process.eventually(function()
        local now = {}
        for _, pid in ipairs(server:workers()) do
          now[pid] = true
        end
        return not (now[before[1]] or now[before[2]])
      end, 20, "new workers")
    end
    local load = rotation.start(server.port)
    reload("old", "new")
    load "old new"
    load "new"
    reload "new"
    load "new"
    rotation.check(load "stop")
    server:stop()
  end)
end)
