-- The transport over HTTP/2: what becomes of requests when a server ends their
-- connections.
local curl = require "flexhooks.runtime.curl"
local h2 = require "spec.support.h2"
local loop = require "flexhooks.runtime.loop"
local process = require "spec.support.process"

local tls

setup(function()
  tls = require("spec.support.tls").start()
end)

describe("an HTTP/2 server that ends its connections", function()
  -- What nginx has answered, from its log.
  local function answered()
    local list = {}
    for line in process.read(tls.dir .. "/few.log"):gmatch "[^\n]+" do
      list[#list + 1] = line
    end
    table.sort(list)
    return list
  end

  -- nginx writes its log once an answer has left.
  local function expect_answered(wanted)
    process.eventually(function()
      return #answered() >= #wanted
    end)
    assert.same(wanted, answered())
  end

  local function ask(own, method, number)
    return own:send { method = method, timeout = 20,
      url = ("https://127.0.0.1:%d/?%d"):format(tls.port.few, number) }
  end

  -- All requests of a round at once, each with a number of its own.
  local function burst(own, methods, rounds, wanted)
    for _ = 1, rounds do
      loop.run(function()
        for i = 1, 20 do
          local method = methods[i % #methods + 1]
          local number = #wanted + 1
          wanted[number] = ("%s /?%d"):format(method, 1000 + number)
          loop.spawn(function()
            local answer, err = ask(own, method, 1000 + number)
            assert(answer, err)
          end)
        end
      end)
    end
  end

  for what, methods in pairs { ["POSTs"] = { "POST" }, ["GETs"] = { "GET" },
    ["POSTs and others"] = { "POST", "GET", "PUT" } } do
    it("answers each of many " .. what .. " at once", function()
      os.execute(": > " .. tls.dir .. "/few.log")
      local own, wanted = curl.new { ca_file = tls.ca }, {}
      burst(own, methods, 3, wanted)
      own:close()
      table.sort(wanted)
      expect_answered(wanted)
    end)
  end

  it("answers each of many POSTs, one after the other", function()
    os.execute(": > " .. tls.dir .. "/few.log")
    local own, wanted = curl.new { ca_file = tls.ca }, {}
    for i = 1001, 1020 do
      assert(ask(own, "POST", i))
      wanted[#wanted + 1] = "POST /?" .. i
    end
    own:close()
    expect_answered(wanted)
  end)

  it("gets no more connections than POSTs at once", function()
    local own, seen, count = curl.new { ca_file = tls.ca }, {}, 0
    for _ = 1, 3 do
      loop.run(function()
        for _ = 1, 10 do
          loop.spawn(function()
            local body = assert(own:send { method = "POST",
              url = "https://127.0.0.1:" .. tls.port.good }).body
            count = count + (seen[body] and 0 or 1)
            seen[body] = true
          end)
        end
      end)
    end
    own:close()
    assert.is_true(count <= 10, count)
  end)

  -- What becomes of the last request, and how often the server saw it. As of
  -- 8.1 libcurl tells a refused stream from a broken connection where no
  -- other request is on that.
  local again, once = { 200, 2 }, { 200, 1 }
  local failed, refused = { "reset", 1 }, { 200, 2 }
  for _, row in ipairs {
    { "POST", { "answer" }, once },
    { "POST", { "refuse" }, refused },
    { "POST", { "goaway" }, refused, failed },
    { "POST", { "refuse", "goaway", "refuse" }, { 200, 4 }, { "reset", 2 } },
    { "POST", { "answer", "refuse" }, failed },
    { "POST", { "answer", "goaway" }, failed },
    { "POST", { "answer", "die" }, failed },
    { "POST", { "die" }, failed },
    { "POST", { "fail" }, { "protocol", 1 } },
    { "GET", { "refuse" }, again },
    { "GET", { "goaway" }, again },
    { "GET", { "answer", "refuse" }, again },
    { "GET", { "answer", "goaway" }, again },
    { "GET", { "answer", "die" }, failed },
    { "GET", { "die" }, failed },
    { "GET", { "fail" }, { "protocol", 1 } },
  } do
    local method, behaviours = row[1], row[2]
    it(("that does this to a %s: %s"):format(method,
      table.concat(behaviours, ", ")), function()
      local own, server = curl.new { ca_file = tls.ca },
        h2.start(tls, behaviours)
      local function send()
        return own:send { method = method, url = server.url, timeout = 10 }
      end
      local before = behaviours[1] == "answer" and #behaviours > 1
      if before then
        assert(send())
      end
      local answer, err = send()
      local outcome = { answer and answer.status or err.kind,
        #server:requests() - (before and 1 or 0) }
      own:close()
      if not row[4] or outcome[1] == row[3][1] then
        assert.same(row[3], outcome)
      else
        assert.same(row[4], outcome)
      end
      assert.is_true(not err or err.sent)
    end)
  end
end)
