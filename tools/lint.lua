-- Checks of the sources that no other tool makes: layers, lengths, banned
-- calls, documentation, and a spec for everything. `make lint` runs it.
--
--   lua5.4 tools/lint.lua [DIR]     prints "path:line: what", exits 1 if any
local here = arg[0]:match "^(.*)/[^/]*$" or "."
package.path = here .. "/?.lua;" .. package.path

local tree = require "lint.tree"
local CHECKS = { "text", "layers", "length", "documented", "tested" }

local root = arg[1] or here .. "/.."
local sources = tree.read(root)
local complaints = {}

local function report(path, line, message)
  complaints[#complaints + 1] = ("%s:%d: %s"):format(path, line, message)
end

for _, name in ipairs(CHECKS) do
  local summary = require("lint." .. name).check(sources, report)
  if summary then
    print(summary)
  end
end
table.sort(complaints)
for _, complaint in ipairs(complaints) do
  print(complaint)
end
print(#complaints == 0 and "lint: nothing to complain of"
  or "lint: " .. #complaints .. " complaints")
os.exit(#complaints == 0)
