-- Every row of spec/data/framing.lua, sent to a server in a process of its
-- own.
local process = require "spec.support.process"
local servers = require "spec.support.server"
local wire = require "spec.support.wire"

local LIMITS = { header_time = 4, body_time = 4, idle_time = 20 }
local SMALL = 1500 -- rows up to this size are sent byte by byte, too

local function statuses(result)
  local list = {}
  for i, answer in ipairs(result.answers) do
    list[i] = answer.status
  end
  return list
end

local function one_of(value, list)
  for _, v in ipairs(type(list) == "table" and list or { list }) do
    if v == value then
      return true
    end
  end
  return false
end

-- The answers, then a good request on the same connection, which must go on.
local function check_open(server, row, good, size)
  local peer = wire.connect(server.port)
  for i = 1, #row.send, size do
    assert(peer:send(row.send:sub(i, i + size - 1)))
  end
  local function expect(n)
    local bytes = wire.read(peer, 20, function(data)
      return #wire.parse(data) >= n
    end)
    return statuses { answers = wire.parse(bytes) }
  end
  local got = expect(#row.answers)
  if not row.or_ok then
    assert.same(row.answers, got)
  end
  assert(peer:send(good))
  assert.same({ 200 }, expect(1))
  peer:close()
  return 1
end

local function check_closed(server, row, size)
  local result = wire.send(server.port, row.send,
    { wait = 20, size = size, finish = row.finish })
  local got = statuses(result)
  assert.is_true(result.closed, "still open after "
    .. table.concat(got, ", "))
  if row.drop or row.may_drop and #got == 0 then
    assert.same({}, got)
  else
    assert.equal(1, #got)
    assert(one_of(got[1], row.status), "answered " .. got[1])
  end
  assert.equal("", result.rest)
  return got[1] == 200 and row.if_taken or 0
end

describe("a server, sent", function()
  local server, f

  lazy_setup(function()
    server = servers.start { options = { limits = LIMITS } }
    f = server:fixture()
  end)

  -- A row that ends in the middle of the day is no reason to hang the next.
  local function check(row, size)
    local before = server:handled()
    local more
    if row.answers then
      more = check_open(server, row, f.good, size)
    else
      more = check_closed(server, row, size)
    end
    local after = wire.send(server.port, f.good, { wait = 20, expect = 1 })
    assert.same({ 200 }, statuses(after))
    if not row.or_ok then
      assert.equal((row.handled or 0) + more + 1, server:handled() - before)
    end
    assert.is_nil(server.child:status())
  end

  -- The fixture's length does not matter for the names of the rows.
  local names = setmetatable({}, { __index = function()
    return function()
      return ""
    end
  end })
  names.path, names.good, names.body = "/", "", ""

  for i, named in ipairs(dofile "spec/data/framing.lua"(names)) do
    it(named.id, function()
      local row = dofile "spec/data/framing.lua"(f)[i]
      check(row, math.max(#row.send, 1))
    end)
    it(named.id .. ", byte by byte", function()
      local row = dofile "spec/data/framing.lua"(f)[i]
      if #row.send <= SMALL then
        check(row, 1)
      end
    end)
  end

  it("and writes no control byte of theirs into its log", function()
    local text = server.child:stderr()
    assert.is_nil(text:find "[%z\1-\9\11-\31\127-\159]")
    assert.is_nil(text:find(servers.TOKEN, 1, true))
  end)

  it("and is as slim as before", function()
    -- What lingers ends after a while.
    process.eventually(function()
      local descriptors = 0
      for _ in require("lfs").dir("/proc/" .. server.child.pid .. "/fd") do
        descriptors = descriptors + 1
      end
      return descriptors < 40
    end, 20, "less than 40 open descriptors")
  end)
end)
