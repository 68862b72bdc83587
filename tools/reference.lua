-- Copies the public modules to where LDoc reads them, with the annotations
-- that editors read (LuaLS: ---@param name type text) turned into LDoc's tags.
--
--   lua5.4 tools/reference.lua TO MODULE…     flexhooks.client, …
local M = {}

local OPENING = { ["<"] = ">", ["("] = ")", ["{"] = "}" }

-- The position after the type at the beginning of `text`: blanks within
-- brackets, around "|" and after ":" or "," belong to it.
local function type_end(text)
  local closers, i = {}, 1
  while i <= #text do
    local c = text:sub(i, i)
    if OPENING[c] then
      closers[#closers + 1] = OPENING[c]
    elseif c == closers[#closers] then
      closers[#closers] = nil
    elseif c == " " and #closers == 0 and not text:find("^%s*|", i)
      and not text:sub(1, i - 1):find "[|:,]%s*$" then
      return i
    end
    i = i + 1
  end
  return i
end

-- LDoc ends a type at the first blank, and a question mark means another thing
-- to it.
local function split_type(text)
  local stop = type_end(text)
  local kind = text:sub(1, stop - 1):gsub("%s+", ""):gsub("%?", "|nil")
  return kind, text:sub(stop):gsub("^%s+", "")
end

local function typed(tag, text)
  local name, rest = text:match "^([^%s?]+)%??%s*(.*)$"
  local kind, description = split_type(rest)
  return ("-- @%s %s %s %s"):format(tag, kind, name, description)
end

local CONVERT = {
  param = function(text)
    return typed("tparam", text)
  end,
  field = function(text)
    return typed("tfield", text)
  end,
  ["return"] = function(text)
    local kind, rest = split_type(text)
    return "-- @treturn " .. kind .. " " .. rest
  end,
  class = function(text)
    return "--- " .. text .. "\n-- @table " .. text:match "^[%w_.]+"
  end,
}

--- The text of a module for LDoc.
---@param text string
---@return string
function M.convert(text)
  return (text:gsub("([^\n]*)\n", function(line)
    local tag, rest = line:match "^%-%-%-?%s*@(%a+)%s*(.*)$"
    if line:find "^%-%-%-|" then
      return "" -- goes on with an alias
    elseif not line:find "^%-%-%-@" then
      return nil
    end
    local convert = CONVERT[tag]
    return (convert and convert(rest) .. "\n" or "")
  end))
end

local function copy(module, to)
  local path = module:gsub("%.", "/")
  local file = io.open("lua/" .. path .. ".lua") or
    assert(io.open("lua/" .. path .. "/init.lua"))
  local out = assert(io.open(to .. "/" .. module .. ".lua", "w"))
  out:write(M.convert(file:read "*a"))
  out:close()
  file:close()
end

--- Copies modules into the folder `to`.
function M.main(to, modules)
  for _, module in ipairs(modules) do
    copy(module, to)
  end
end

if arg and arg[0] and arg[0]:find "reference%.lua$" then
  M.main(arg[1], { (table.unpack or unpack)(arg, 2) })
end
return M
