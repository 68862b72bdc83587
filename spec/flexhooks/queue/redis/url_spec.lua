local flexhooks = require "flexhooks"

-- Each URL, and what is read: host, port, db, user, password.
local RIGHT = {
  { "redis://", "127.0.0.1", 6379, 0 },
  { "redis://h", "h", 6379, 0 },
  { "redis://h/", "h", 6379, 0 },
  { "REDIS://queue-1.my_zone.example:6380/15", "queue-1.my_zone.example", 6380,
    15 },
  { "redis://:6380", "127.0.0.1", 6380, 0 },
  { "redis://[::1]", "::1", 6379, 0 },
  { "redis://[2001:db8::7]:1/2", "2001:db8::7", 1, 2 },
  { "redis://[::ffff:10.0.0.1]:65535", "::ffff:10.0.0.1", 65535, 0 },
  { "redis://@h", "h", 6379, 0 },
  { "redis://:p@h", "h", 6379, 0, nil, "p" },
  { "redis://u:p@h:1/2", "h", 1, 2, "u", "p" },
  { "redis://:p%20%00@h", "h", 6379, 0, nil, "p \0" },
  { "redis://u%40:p@ss%2F:%25@[::1]/7", "::1", 6379, 7, "u@", "p@ss/:%" },
}

describe("a Redis URL", function()
  for _, case in ipairs(RIGHT) do
    it("is read: " .. case[1], function()
      local queue = flexhooks.queue(case[1])
      local a = queue.backend.address
      assert.same({ case[2], case[3], case[4], case[5], case[6] },
        { a.host, a.port, a.db, a.user, a.password and a.password:reveal() })
      assert.is_nil(case[6] and tostring(queue):find(case[6], 1, true))
    end)
  end

  it("may carry settings", function()
    local settings = flexhooks.queue("redis://h?timeout=1.5&partitions=4096"
      .. "&prefix=a%26b&appendfsync=any&token_window=60").backend.settings
    assert.same({ 1.5, 4096, "a&b", "any", 60 }, { settings.timeout,
      settings.partitions, settings.prefix, settings.appendfsync,
      settings.token_window })
  end)

  it("may say what the options say, and nothing else", function()
    local url = "redis://h?partitions=8&prefix=p"
    local settings = flexhooks.queue(url, { partitions = 8, timeout = 2 })
      .backend.settings
    assert.same({ 8, "p", 2 }, { settings.partitions, settings.prefix,
      settings.timeout })
    for name, value in pairs { partitions = 16, prefix = "q" } do
      local ok, err = pcall(function()
        local queue = flexhooks.queue(url, { [name] = value })
        return queue
      end)
      assert.is_false(ok)
      assert.equal("argument", err.kind)
      assert.matches("redis/url_spec.lua:%d+: .*'" .. name .. "' is " .. value
        .. ", and the URL says", err.message)
    end
    local ok, err = pcall(flexhooks.queue, "redis://h?partitions=8", 5)
    assert.is_false(ok)
    assert.matches("options must be a table", err.message)
  end)
end)

-- Each URL, and a part of what is said. Passwords in them are "hunter2".
local WRONG = {
  { "redis:", "no host" }, { "redis:host", "no host" },
  { "redis:/host", "no host" },
  { "redis://a b", "host" }, { "redis://h%41", "host" },
  { "redis://u:hunter2@:x/", "port" }, { "redis://h:x", "port" },
  { "redis://h:", "port" }, { "redis://h:0", "port" },
  { "redis://h:65536", "port" }, { "redis://h:-1", "port" },
  { "redis://h:6379x", "port" }, { "redis://h:000006379", "port" },
  { "redis://a:b:c", "port" }, { "redis://::1", "brackets" },
  { "redis://fe80::1:6379", "brackets" }, { "redis://[::1", "host" },
  { "redis://[::1]x", "port" }, { "redis://[h]", "IPv6" },
  { "redis://[]", "IPv6" }, { "redis://::1]", "port" },
  { "redis://h/x", "database" }, { "redis://h/-1", "database" },
  { "redis://h/1/2", "database" }, { "redis://h/1.5", "database" },
  { "redis://h/99999999999", "database" }, { "redis://h//", "database" },
  { "redis://hunter2@h", "no password" },
  { "redis://hunter2:@h", "no password" },
  { "redis://u:hunter2%@h", "%25" }, { "redis://u:hunter2%zz@h", "%25" },
  { "redis://%:hunter2@h", "%25" },
  { "redis://u:hunter2/x@h", "%2F" }, { "redis://u:hunter2?x@h", "%3F" },
  { "redis://u:6379?hunter2@h", "%3F" }, { "redis://u:1#hunter2@h", "%23" },
  { "redis://h?partition=4", "did you mean 'partitions'" },
  { "redis://h?partitions", "partitions" }, { "redis://h?=4", "unknown" },
  { "redis://h?logger=x", "logger" }, { "redis://h?lease=4", "lease" },
  { "redis://h?partitions=1&partitions=2", "twice" },
  { "redis://h?partitions=0", "at least 1" },
  { "redis://h?partitions=4097", "at most 4096" },
  { "redis://h?partitions=99999999999999999999", "at most 4096" },
  { "redis://h?partitions=1.5", "integer" },
  { "redis://h?partitions=0x10", "integer" },
  { "redis://h?partitions=1e2", "integer" },
  { "redis://h?partitions=", "integer" }, { "redis://h?partitions=x",
    "integer" },
  { "redis://h?timeout=nan", "number" }, { "redis://h?timeout=0", "timeout" },
  { "redis://h?timeout=inf", "number" },
  { "redis://h?prefix=", "prefix" }, { "redis://h?prefix={a}", "prefix" },
  { "redis://h?prefix=a%20b", "prefix" }, { "redis://h?prefix=%zz", "%25" },
  { "redis://h?appendfsync=no", "one of always" },
  { "rediss://h", "begin with" }, { "sqlite:", "PATH" },
  { "sqlite::memory:", "PATH" }, { "sqlite://a/b.db", "PATH" },
  { "sqlite:folder/", "PATH" }, { "sqlite:a.db?max_events=5", "argument" },
  { "sqlite:a\0b", "PATH" }, { "memory:x", "memory:" }, { "", "begin with" },
  { "redis", "begin with" }, { "//h", "begin with" },
}

describe("a queue's URL that cannot be right", function()
  for _, case in ipairs(WRONG) do
    it("is refused: " .. ("%q"):format(case[1]), function()
      local ok, err = pcall(function()
        local queue = flexhooks.queue(case[1])
        return queue
      end)
      assert.is_false(ok)
      assert.equal("argument", err.kind)
      assert.matches("redis/url_spec.lua", err.message)
      assert.matches(case[2], err.message, 1, true)
      assert.is_nil(err.message:find("hunter2", 1, true))
    end)
  end
end)
