--- A secret that a file holds.
-- @module flexhooks.cli.secret_file

local ask = require "flexhooks.cli.ask"
local errors = require "flexhooks.error"
local output = require "flexhooks.cli.output"

local M = {}

local MAX_SIZE = 64 * 1024
local BOM = "\239\187\191"

-- "644", or nil where it cannot be learned.
local function mode_of(path)
  local pipe = io.popen("stat -Lc %a -- " .. ask.quote(path) .. " 2>/dev/null")
  local mode = pipe and pipe:read("*l")
  if pipe then
    pipe:close()
  end
  return mode
end

local function warn_of_readers(path)
  local mode = mode_of(path)
  local group, others = (mode or ""):match "(%d)(%d)$"
  if group and (tonumber(group) >= 4 or tonumber(others) >= 4) then
    output.say("flexhooks: warning: others can read %s: chmod 600 %s", path,
      path)
  end
end

local function complaint(text)
  if #text > MAX_SIZE then
    return "is larger than 64 KiB"
  elseif text:find("\0", 1, true) then
    return "holds a NUL byte: it is no text"
  elseif text:find "^%s*$" then
    return "is empty"
  elseif text:find "%S%s+%S" then
    return "holds more than one word"
  end
end

--- Reads the one word that a file holds; a byte-order mark before it and white
-- space around it are no part of it.
---@param option string the option that named the file
---@param path string
---@return string? secret
---@return flexhooks.Error? err kind `config`
function M.read(option, path)
  local file, why = io.open(path, "rb")
  local text
  if file then
    text, why = file:read(MAX_SIZE + 1)
    file:close()
  end
  if why then
    return nil, errors.new("config", "cannot read " .. option .. ": " .. why)
  end
  text = (text or ""):gsub("^" .. BOM, "")
  local wrong = complaint(text)
  if wrong then
    return nil, errors.new("config", ("%s: %s %s"):format(option, path, wrong))
  end
  warn_of_readers(path)
  return text:match "%S+"
end

return M
