-- The sources as a table path -> text, and what every check does with a text:
-- blanking its comments and strings, walking its lines.
local M = {}

local FOLDERS = "src lua spec bin bench examples tools"

--- Reads a checkout.
---@param root string
---@return table<string, string>
function M.read(root)
  local list = assert(io.popen("cd '" .. root .. "' && find " .. FOLDERS
    .. " -type f ! -name '.*' 2>/dev/null"))
  local sources = {}
  for path in list:lines() do
    local file = assert(io.open(root .. "/" .. path, "rb"))
    sources[path] = file:read "*a"
    file:close()
  end
  list:close()
  return sources
end

--- The paths that match a pattern, sorted.
---@return string[]
function M.paths(sources, pattern)
  local list = {}
  for path in pairs(sources) do
    if path:find(pattern) then
      list[#list + 1] = path
    end
  end
  table.sort(list)
  return list
end

--- Iterates over number and text of each line.
function M.lines(text)
  local number, position = 0, 1
  return function()
    if position > #text then
      return nil
    end
    local stop = text:find("\n", position, true) or #text + 1
    local line = text:sub(position, stop - 1)
    number, position = number + 1, stop + 1
    return number, line
  end
end

local function blank(text)
  return (text:gsub("[^\n]", " "))
end

-- What begins at `i`: the position after it and whether it is a string.
local function lua_token(text, i)
  local c = text:sub(i, i)
  local comment = text:sub(i, i + 1) == "--"
  local level = text:match("^%[(=*)%[", comment and i + 2 or i)
  if level then
    local _, stop = text:find("]" .. level .. "]", i, true)
    return (stop or #text) + 1, not comment
  elseif comment then
    return text:find("\n", i, true) or #text + 1, false
  elseif c == '"' or c == "'" then
    local j = i + 1
    while j <= #text and text:sub(j, j) ~= c do
      j = j + (text:sub(j, j) == "\\" and 2 or 1)
    end
    return j + 1, true
  end
end

local function c_token(text, i)
  local two, c = text:sub(i, i + 1), text:sub(i, i)
  if two == "/*" then
    local _, stop = text:find("*/", i + 2, true)
    return (stop or #text) + 1, false
  elseif two == "//" then
    return text:find("\n", i, true) or #text + 1, false
  elseif c == '"' or c == "'" then
    return lua_token(text, i)
  end
end

local function stripped(text, token, first, keep_strings)
  local out, i = {}, 1
  while i <= #text do
    local j = text:find(first, i)
    if not j then
      break
    end
    out[#out + 1] = text:sub(i, j - 1)
    local after, is_string = token(text, j)
    local piece = text:sub(j, after and after - 1 or j)
    if after and not (is_string and keep_strings) then
      piece = blank(piece)
    end
    out[#out + 1] = piece
    i = j + #piece
  end
  out[#out + 1] = text:sub(i)
  return table.concat(out)
end

--- The text with comments (and strings, unless kept) turned into spaces.
function M.lua_code(text, keep_strings)
  return stripped(text, lua_token, "[%-\"'%[]", keep_strings)
end

function M.c_code(text, keep_strings)
  return stripped(text, c_token, "[/\"']", keep_strings)
end

return M
