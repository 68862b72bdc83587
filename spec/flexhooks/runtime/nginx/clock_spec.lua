-- Only on luajit: nginx's Lua is LuaJIT.
local clock = require "flexhooks.runtime.nginx.clock"
local core = require "flexhooks.core"

describe("runtime.nginx.clock", function()
  it("is the clock of all other parts", function()
    for _ = 1, 100 do
      local before, now, after = core.clock(), clock(), core.clock()
      assert.is_true(before <= now and now <= after,
        ("%.9f %.9f %.9f"):format(before, now, after))
    end
  end)

  it("keeps its name to itself", function()
    local ffi = require "ffi"
    ffi.cdef "int clock_gettime(int, void *);"
    local time = ffi.new "int64_t[2]"
    assert.equal(0, ffi.C.clock_gettime(1, time))
    assert.is_true(clock() - tonumber(time[0]) < 60)
  end)
end)
