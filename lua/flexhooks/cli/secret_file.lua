--- A secret that a file holds.
-- @module flexhooks.cli.secret_file

local core = require "flexhooks.core"
local errors = require "flexhooks.error"
local output = require "flexhooks.cli.output"

local M = {}

local MAX_SIZE = 64 * 1024
local BOM = "\239\187\191"

local OTHERS, GROUP = 4, 32 -- their bits to read

local function warn_of_readers(path, mode)
  if mode % (2 * OTHERS) >= OTHERS or mode % (2 * GROUP) >= GROUP then
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
  local text, mode = core.read_file(path, MAX_SIZE + 1)
  if not text then
    return nil, errors.new("config", "cannot read " .. option .. ": " .. mode)
  end
  text = text:gsub("^" .. BOM, "")
  local wrong = complaint(text)
  if wrong then
    return nil, errors.new("config", ("%s: %s %s"):format(option, path, wrong))
  end
  warn_of_readers(path, mode)
  return text:match "%S+"
end

return M
