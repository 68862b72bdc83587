-- Real locales in a folder of one's own, by localedef from the sources that
-- Debian's package `locales` has:
--
--   local folder = require("spec.support.locales").make { "tr_TR.UTF-8" }
--
-- A process finds them where LOCPATH is that folder when it starts.
local process = require "spec.support.process"

local M = {}

--- Makes the locales and returns their folder.
---@param names string[] "language_COUNTRY.CHARSET"
---@return string
function M.make(names)
  local folder = process.folder()
  for _, name in ipairs(names) do
    local source, charset = name:match "^(.-)%.(.+)$"
    local status, out, err = process.run { "localedef", "-i", source, "-f",
      charset, folder .. "/" .. name }
    assert(status == 0, out .. err)
  end
  return folder
end

return M
