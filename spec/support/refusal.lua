-- Functions that raise, as any call may without memory.
--
--   refusal.each({ host = { host, "at_turn_end", "event" } }, scenario)
--
-- runs the scenario with each of the functions refused at its first call, then
-- at its second, and so on, until the scenario makes fewer calls of it.
-- scenario(refused) calls refused.begin() and refused.over().
local M = {}

M.RAISED = "refused by the test"

-- Makes call number `call` of owner[name] raise between `begin` and `over`.
local function control(owner, name, call)
  local own, real, calls = rawget(owner, name), owner[name], 0
  local self = { seen = false }
  function self.begin()
    owner[name] = function(...)
      calls = calls + 1
      if calls == call then
        self.seen = true
        error(M.RAISED, 0)
      end
      return real(...)
    end
  end
  function self.over()
    owner[name] = own
  end
  return self
end

local function each_call(owner, name, label, scenario)
  local call = 0
  repeat
    call = call + 1
    local refused = control(owner, name, call)
    local ok, raised = pcall(scenario, refused)
    refused.over()
    if not ok then
      error(("with call %d of %s refused: %s"):format(call, label,
        tostring(raised)), 0)
    end
  until not refused.seen
  assert(call > 1, label .. " was never called")
end

---@param functions table<string, table> label -> { owner, name, … }
---@param scenario fun(refused: table) raises what is wrong
function M.each(functions, scenario)
  for label, list in pairs(functions) do
    for i = 2, #list do
      each_call(list[1], list[i], label .. "." .. list[i], scenario)
    end
  end
end

return M
