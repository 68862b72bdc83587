--- What runs us: the loop of our own, or nginx.
--
-- The parts that wait (client, receiver, router, worker) ask this module,
-- never the loop itself, so that the same code suspends a task under
-- `flexhooks.run`, blocks outside of one, and yields a light thread inside
-- nginx. It is a window: the first use of a name chooses the implementation.
--
-- Both implementations provide:
--   now() clock()                  Unix seconds; monotonic seconds
--   run(f, ...)                    what f returns, once all it began ended
--   get()                          the loop, for a foreign one to drive; in
--                                  nginx it raises
--   sleep(s)                       true, or nil, err (cancelled, timeout)
--   spawn(f, ...)                  task
--   map(list, n, f)                results in order
--   event()                        one-shot: set(...) is_set() wait(timeout)
--   enter(deadline) leave(token)   a deadline (monotonic) over what follows;
--                                  leave tells whether it cut a wait
--   remaining()                    seconds to the nearest deadline, or nil
--   transport(options)             the default transport
-- @module flexhooks.runtime.current

local function in_nginx()
  local nginx = rawget(_G, "ngx")
  return nginx and nginx.config and nginx.config.subsystem == "http"
end

local function implementation()
  return in_nginx() and require "flexhooks.runtime.nginx.runtime"
    or require "flexhooks.runtime.loop"
end

local function transport()
  local chosen = in_nginx() and require "flexhooks.runtime.nginx.transport"
    or require "flexhooks.runtime.curl"
  return chosen.new
end

return setmetatable({}, {
  __index = function(host, name)
    local value
    if name == "transport" then
      value = transport()
    else
      value = implementation()[name]
    end
    rawset(host, name, value)
    return value
  end,
})
