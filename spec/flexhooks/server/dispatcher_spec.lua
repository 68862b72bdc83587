local core = require "flexhooks.core.listener"
local flexhooks = require "flexhooks"
local dispatchers = require "flexhooks.server.dispatcher"
local process = require "spec.support.process"

-- Runs `f(url, taken)` in a task while an intake answers with `answer`.
local function with_intake(given, f)
  flexhooks.run(function()
    local listener = assert(core.new { port = 0 })
    local port = listener:port()
    given.listener = listener
    local taken = dispatchers.new(given)
    local ok, err = pcall(f, "http://127.0.0.1:" .. port, taken)
    taken:close()
    assert(ok, err)
  end)
end

describe("server.dispatcher", function()
  it("sends what was answered", function()
    with_intake({ answer = function(_, method, target, body)
      return 201, { ["x-seen"] = method .. " " .. target }, body:upper()
    end }, function(url)
      local response = assert(flexhooks.http(url .. "/a?b", { method = "PUT",
        body = "text" }))
      assert.same({ 201, "PUT /a?b", "TEXT" },
        { response.status, response.headers["x-seen"], response.body })
    end)
  end)

  it("sends the prepared answer for 200 alone", function()
    with_intake({ answer = function()
      return 200
    end }, function(url)
      local response = assert(flexhooks.http(url))
      assert.same({ 200, "{}" }, { response.status, response.body })
    end)
  end)

  it("answers those that found no task free, in their order", function()
    local order, release = {}, false
    with_intake({ concurrency = 1, answer = function(_, _, target)
      while not release do
        flexhooks.sleep(0.005)
      end
      order[#order + 1] = target
      return 200
    end }, function(url, taken)
      local tasks = {}
      for i = 1, 5 do
        tasks[i] = flexhooks.spawn(flexhooks.http, url .. "/" .. i)
        while taken.in_flight + taken:backlog() < i do
          flexhooks.sleep(0.005)
        end
      end
      assert.equal(1, taken.in_flight)
      assert.equal(4, taken:backlog())
      release = true
      for _, task in ipairs(tasks) do
        assert.equal(200, assert(task:wait(20)).status)
      end
      assert.same({ "/1", "/2", "/3", "/4", "/5" }, order)
      assert.equal(0, taken:backlog())
    end)
  end)

  it("holds up nobody for those that wait, in one batch", function()
    local release, answered = false, 0
    with_intake({ answer = function(_, _, target)
      while target == "/wait" and not release do
        flexhooks.sleep(0.005)
      end
      answered = answered + 1
      return 200
    end }, function(url)
      local tasks = {}
      for i = 1, 40 do
        tasks[i] = flexhooks.spawn(flexhooks.http,
          url .. (i % 2 == 0 and "/wait" or "/go"))
      end
      for i = 1, 40, 2 do
        assert.equal(200, assert(tasks[i]:wait(20)).status)
      end
      assert.equal(20, answered)
      release = true
      for i = 2, 40, 2 do
        assert.equal(200, assert(tasks[i]:wait(20)).status)
      end
    end)
  end)

  it("goes on after an answer that cannot be sent", function()
    with_intake({ answer = function(_, _, target)
      return target == "/bad" and 99 or 201, {}, "x"
    end }, function(url, taken)
      flexhooks.loop { logger = function() end }
      local bad = flexhooks.spawn(flexhooks.http, url .. "/bad")
      local good = flexhooks.spawn(flexhooks.http, url .. "/good")
      assert.equal(500, assert(bad:wait(20)).status)
      assert.equal(201, assert(good:wait(20)).status)
      assert.equal(0, taken.in_flight)
    end)
  end)

  it("goes on after a function that failed", function()
    local logged
    with_intake({ answer = function(_, _, target)
      return target == "/bad" and error "broken" or 201, {}, "x"
    end }, function(url, taken)
      flexhooks.loop { logger = function(_, _, fields)
        logged = fields.traceback
      end }
      local bad = flexhooks.spawn(flexhooks.http, url .. "/bad")
      local good = flexhooks.spawn(flexhooks.http, url .. "/good")
      assert.equal(500, assert(bad:wait(20)).status)
      assert.equal(201, assert(good:wait(20)).status)
      assert.equal(0, taken.in_flight)
    end)
    assert.matches("broken", logged)
  end)

  it("is idle when all is answered and closed", function()
    local release = false
    with_intake({ answer = function()
      while not release do
        flexhooks.sleep(0.005)
      end
      return 200
    end }, function(url, taken)
      assert.is_true(taken:idle())
      local task = flexhooks.spawn(flexhooks.http, url)
      while taken.in_flight == 0 do
        flexhooks.sleep(0.005)
      end
      assert.is_false(taken:idle())
      taken.listener:quiesce() -- so that the connection ends with the answer
      release = true
      assert.equal(200, assert(task:wait()).status)
      process.eventually(function()
        flexhooks.sleep(0.005)
        return taken:idle()
      end)
    end)
  end)

  it("cancels what still runs when it is closed, and counts it", function()
    local cut
    flexhooks.run(function()
      local taken = dispatchers.new { listener = assert(core.new { port = 0 }),
        answer = function()
          local _, err = flexhooks.sleep(30)
          cut = err.kind
          return 500
        end }
      local url = "http://127.0.0.1:" .. taken.listener:port()
      flexhooks.spawn(flexhooks.http, url)
      while taken.in_flight == 0 do
        flexhooks.sleep(0.005)
      end
      assert.equal(1, taken:close())
    end)
    assert.equal("cancelled", cut)
  end)

  describe("that accepts", function()
    -- Keeps what it accepts until `release`.
    local kept

    local function accept(_, reply, request, _, target)
      kept[#kept + 1] = function(...)
        reply(request, ...)
      end
      if target == "/wait" then
        flexhooks.sleep(30)
      end
    end

    local function fetch(url, count)
      local tasks = {}
      for i = 1, count do
        tasks[i] = flexhooks.spawn(flexhooks.http, url .. "/" .. i)
      end
      while #kept < count do
        flexhooks.sleep(0.005)
      end
      return tasks
    end

    before_each(function()
      kept = {}
    end)

    it("sends answers when they come, in any order", function()
      with_intake({ accept = accept }, function(url, taken)
        local tasks = fetch(url, 3)
        assert.equal(3, taken.in_flight)
        assert.is_false(taken:idle())
        kept[3](200)
        kept[1](503, { ["retry-after"] = "5" }, "later")
        kept[2](99, {}, "cannot be sent")
        flexhooks.loop { logger = function() end }
        local got = {}
        for i, task in ipairs(tasks) do
          got[i] = assert(task:wait(20)).status
        end
        table.sort(got)
        assert.same({ 200, 500, 503 }, got)
        assert.equal(0, taken.in_flight)
      end)
    end)

    it("takes the others while one waits", function()
      with_intake({ accept = accept }, function(url, taken)
        flexhooks.spawn(flexhooks.http, url .. "/wait", { timeout = 5 })
        local tasks = fetch(url, 4)
        while #kept < 5 do
          flexhooks.sleep(0.005)
        end
        assert.equal(5, taken.in_flight)
        for i = 1, 5 do
          kept[i](200)
        end
        for _, task in ipairs(tasks) do
          assert.equal(200, assert(task:wait(20)).status)
        end
        assert.equal(0, taken.in_flight)
      end)
    end)

    it("has no use for an answer once it is closed", function()
      with_intake({ accept = accept }, function(url, taken)
        local tasks = fetch(url, 2)
        assert.equal(2, taken:close())
        kept[1](200)
        kept[2](503, {}, "")
        for _, task in ipairs(tasks) do
          assert.is_nil((task:wait(20)))
        end
      end)
    end)

    it("answers nobody who has gone", function()
      with_intake({ accept = accept }, function(url, taken)
        local gone = flexhooks.spawn(flexhooks.http, url)
        while #kept < 1 do
          flexhooks.sleep(0.005)
        end
        gone:cancel()
        assert.is_nil((gone:wait()))
        flexhooks.sleep(0.02)
        assert.equal(1, taken.in_flight)
        kept[1](200)
        assert.equal(0, taken.in_flight)
        local task = flexhooks.spawn(flexhooks.http, url)
        while #kept < 2 do
          flexhooks.sleep(0.005)
        end
        kept[2](200)
        assert.equal(200, assert(task:wait(20)).status)
      end)
    end)
  end)
end)
