-- A page of the documentation as a program.
local M = {}

--- The page's Lua snippets, one after the other, as one program whose lines
-- keep their numbers.
function M.program(path)
  local lines, inside = {}, false
  for line in io.lines(path) do
    if line == "```lua" then
      inside, line = true, ""
    elseif line == "```" then
      inside = false
    end
    lines[#lines + 1] = inside and line or ""
  end
  return table.concat(lines, "\n")
end

return M
