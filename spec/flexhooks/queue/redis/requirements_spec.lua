-- What real servers are refused for is in redis_spec.
local errors = require "flexhooks.error"
local requirements = require "flexhooks.queue.redis.requirements"

-- A server that says this of itself.
local function server(info, settings)
  return { command = function(_, command)
    if command[1] == "INFO" then
      return info, not info and errors.new("queue", "away") or nil
    end
    local value = settings[command[3]]
    return value and { command[3], value } or {}
  end }
end

local GOOD = { ["maxmemory-policy"] = "noeviction", appendonly = "yes",
  appendfsync = "always" }

local function with(name, value)
  local settings = require("flexhooks.util.tables").merged(GOOD)
  settings[name] = value
  return settings
end

local function wrong(version, settings, wanted)
  return requirements.wrong(server("redis_version:" .. version
    .. "\r\ncluster_enabled:0\r\n", settings or GOOD), wanted or "always")
end

describe("queue.redis.requirements", function()
  it("takes Redis 6.2 and what is newer", function()
    for _, version in ipairs { "6.2.0", "6.10.1", "7.0.15", "10.0" } do
      assert.is_nil(wrong(version))
    end
    for _, version in ipairs { "6.1.9", "6.0.16", "5.0.14", "x" } do
      assert.matches("6.2 or newer", wrong(version))
    end
    assert.matches("6.2 or newer", requirements.wrong(server "", "always"))
  end)

  it("names the setting that does not fit", function()
    for name, value in pairs { ["maxmemory-policy"] = "allkeys-lru",
      appendonly = "no", appendfsync = "everysec" } do
      assert.matches("has " .. name .. " = " .. value,
        wrong("7.0.0", with(name, value)), 1, true)
    end
  end)

  it("names a setting that it is not told", function()
    assert.matches("tell its appendonly; CONFIG GET must be allowed",
      wrong("7.0.0", { ["maxmemory-policy"] = "noeviction" }), 1, true)
    local io = server("redis_version:7.0.0\r\n", {})
    local info = io.command
    for reason, kind in pairs { noperm = "string", error = "string",
      timeout = "table" } do
      io.command = function(self, command)
        if command[1] == "INFO" then
          return info(self, command)
        end
        return nil, errors.new("queue", "no", { reason = reason })
      end
      assert.equal(kind, type(requirements.wrong(io, "any")))
    end
  end)

  it("takes a weaker fsync where that is wanted, but no eviction", function()
    local weak = with("appendfsync", "everysec")
    assert.is_nil(wrong("7.0.0", weak, "everysec"))
    assert.is_nil(wrong("7.0.0", GOOD, "everysec"))
    assert.matches("appendfsync = no", wrong("7.0.0",
      with("appendfsync", "no"), "everysec"))
    assert.is_nil(wrong("7.0.0", with("appendonly", "no"), "any"))
    assert.matches("maxmemory", wrong("7.0.0",
      with("maxmemory-policy", "volatile-lru"), "any"))
  end)

  it("refuses a cluster, and hands on an error", function()
    assert.matches("cluster", requirements.wrong(server(
      "redis_version:7.0.0\r\ncluster_enabled:1\r\n", GOOD), "always"))
    assert.equal("queue", requirements.wrong(server(nil, GOOD), "always").kind)
  end)
end)
