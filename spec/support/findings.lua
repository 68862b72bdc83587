-- What the doctor's checks found, for specs of them.
--
--   local found = findings.new()
--   receiver.check(found, url, token)
--   found:text()       "pass reachable: answers …", a line each
local M = {}

local Findings = {}
Findings.__index = Findings

function M.new()
  return setmetatable({ list = {} }, Findings)
end

function Findings:add(name, status, message, advice)
  assert(status == "pass" or status == "skip" or advice, name)
  self.list[#self.list + 1] = ("%s %s: %s"):format(status, name, message)
end

function Findings:text()
  return table.concat(self.list, "\n")
end

return M
