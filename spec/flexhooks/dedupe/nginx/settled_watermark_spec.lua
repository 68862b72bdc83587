-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
local app = require "spec.support.nginx_app"

-- Runs code in a request of a real nginx, where `mine` is a ledger of this
-- worker and `other` one as another worker has it. Returns what it says.
local function run(code)
  local server = app.start { server = [[
    location = / { content_by_lua_block {
      local ledgers = require "flexhooks.dedupe.nginx.settled_watermark"
      local dict = ngx.shared.flexhooks
      local mine = ledgers.new(dict, 60, 0.05)
      local other = ledgers.new(dict, 60, 0.05)
      local said = {}
      local function say(value) said[#said + 1] = tostring(value) end
      local function open() return mine:open(mine:stamp()) end
      local function both(claim)
        say(mine:has_settled(mine.id, claim.stamp))
        say(other:has_settled(mine.id, claim.stamp))
      end
      ]] .. code .. [[
      local text = table.concat(said, " ")
      ngx.header.content_length = #text
      ngx.print(text)
    } }]] }
  return app.get(server, "/").body
end

describe("dedupe.nginx.settled_watermark", function()
  it("tells others what was settled, a moment later", function()
    assert.equal("false false true true false true true false false", run [[
      local first, second = open(), open()
      both(first)
      say(mine:close(first))
      say(mine:has_settled(mine.id, first.stamp))
      say(other:has_settled(mine.id, first.stamp))
      ngx.sleep(0.2)
      both(first)
      both(second)]])
  end)

  it("covers nothing that comes after", function()
    assert.equal("true true false false true true", run [[
      say(mine:close(open()))
      ngx.sleep(0.2)
      local next_one = open()
      say(other.id ~= mine.id)
      both(next_one)
      mine:close(next_one)
      ngx.sleep(0.2)
      both(next_one)]])
  end)

  it("says of what it cannot publish that it cannot", function()
    assert.equal("false false false true true true true true", run [[
      local slow, fast = open(), open()
      say(mine:close(fast))
      ngx.sleep(0.2)
      both(fast)
      say(mine:close(slow))
      ngx.sleep(0.2)
      both(fast)
      both(slow)]])
  end)

  it("is stuck once a claim stays open past its time", function()
    assert.equal("false true", run [[
      open()
      mine:close(open())
      say(mine.stuck)
      ngx.sleep(0.1)
      mine:close(open())
      say(mine.stuck)]])
  end)

  it("knows nothing of a ledger that is gone", function()
    assert.equal("false true", run [[
      local claim = open()
      mine:close(claim)
      ngx.sleep(0.2)
      dict:delete("ledger:" .. mine.id)
      say(other:has_settled(mine.id, claim.stamp))
      say(mine:has_settled(mine.id, claim.stamp))]])
  end)

  it("gives no stamp twice", function()
    assert.equal("true", run [[
      local last, grows = 0, true
      for _ = 1, 5000 do
        local stamp = mine:stamp()
        grows, last = grows and stamp > last, stamp
      end
      say(grows)]])
  end)
end)
