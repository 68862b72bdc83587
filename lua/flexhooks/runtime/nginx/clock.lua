--- Monotonic seconds: `core.clock`, as a call that LuaJIT compiles.
--
-- A call of a C function ends a trace, and one that begins inside an xpcall
-- cannot pass its end: so each look at the clock would leave what follows to
-- the interpreter.
-- @module flexhooks.runtime.nginx.clock

local ffi = require "ffi"

local core = require "flexhooks.core"

-- Numbers and layouts below are those of Linux with 64 bits.
if ffi.os ~= "Linux" or not ffi.abi "64bit" then
  return core.clock
end

local MONOTONIC = 1

-- The name is ours, since another library may declare the function otherwise.
ffi.cdef [[
int flexhooks_clock_gettime(int clock, int64_t *seconds_and_nanoseconds)
  __asm__("clock_gettime");
]]

local read = ffi.C.flexhooks_clock_gettime
local time = ffi.new "int64_t[2]"

return function()
  read(MONOTONIC, time)
  return tonumber(time[0]) + tonumber(time[1]) * 1e-9
end
