-- Prints the manual page of the command, made from its parsers:
--
--   lua tools/manual.lua | man -l -
local cli = require "flexhooks.cli.main"
local version = require("flexhooks")._VERSION

local DESCRIPTION = [[
Registers webhooks of the Twilio Flex Interactions API, receives their signed
events, verifies them and routes each one to handlers written in Lua. Data goes
to standard output, messages to standard error.]]

local ENVIRONMENT = {
  { "TWILIO_ACCOUNT_SID", "The account, AC…" },
  { "TWILIO_AUTH_TOKEN", "Its auth token: signs events, and gives access to "
    .. "the API." },
  { "TWILIO_API_KEY, TWILIO_API_SECRET", "An API key, used for calls instead "
    .. "of the token." },
  { "TWILIO_CLIENT_ID, TWILIO_CLIENT_SECRET", "OAuth client credentials that "
    .. "flexhooks simulate takes." },
  { "TWILIO_REGION, TWILIO_EDGE", "Where calls go, as in ie1 and dublin." },
  { "FLEX_INSTANCE_SID", "The Flex instance, GO…; else the API is asked." },
  { "FLEXHOOKS_BASE_URL", "The API; that of flexhooks simulate, say." },
  { "FLEXHOOKS_PUBLIC_URL", "The receiver's URL as it is registered, which is "
    .. "what Twilio signs." },
  { "FLEXHOOKS_QUEUE", "The queue's URL: sqlite:FILE, redis://…, memory:." },
  { "NO_COLOR", "Set to anything but nothing: no colours at a terminal." },
}

local STATUS = {
  { "0", "Done." },
  { "1", "Failed; with plan --check, something would change." },
  { "2", "Misused: an argument or a setting is wrong or missing." },
}

-- The code point of a character of two to four bytes.
local function code_point(character)
  local first = character:byte()
  local code = first % (#character == 2 and 32 or #character == 3 and 16 or 8)
  for i = 2, #character do
    code = code * 64 + character:byte(i) % 64
  end
  return code
end

local function escape(text)
  text = text:gsub("\\", "\\e"):gsub("%-", "\\-")
    :gsub("[\194-\244][\128-\191]+", function(character)
      return ("\\[u%04X]"):format(code_point(character))
    end)
  return (text:gsub("^([.'])", "\\&%1"):gsub("\n([.'])", "\n\\&%1"))
end

local lines = {}

local function put(text)
  lines[#lines + 1] = text
end

local function list(rows)
  for _, row in ipairs(rows) do
    put ".TP"
    put("\\fB" .. escape(row[1]) .. "\\fR")
    put(escape(row[2]))
  end
end

local function verbatim(text)
  put ".nf"
  put(escape(text))
  put ".fi"
end

-- Options and arguments as they stand in the help.
local function elements_of(parser)
  local rows = {}
  for _, group in ipairs { parser._arguments, parser._options } do
    for _, element in ipairs(group) do
      if element._name ~= "-h" and not element._hidden then
        local label = table.concat(element:_get_label_lines(), " ")
        rows[#rows + 1] = { (label:gsub("%s+", " ")),
          element:_get_description() }
      end
    end
  end
  return rows
end

local function command(parser, name)
  put('.SS "' .. escape(name) .. '"')
  put(escape(parser._summary or parser._description or ""))
  put ".PP"
  verbatim(parser:get_usage())
  list(elements_of(parser))
  if parser._epilog then
    put ".PP"
    verbatim(parser._epilog)
  end
  for _, child in ipairs(parser._commands) do
    command(child, name .. " " .. child._name)
  end
end

local parser = cli.parser()
put('.TH FLEXHOOKS 1 "" "flexhooks ' .. version .. '" "User Commands"')
put ".SH NAME"
put("flexhooks \\- Twilio Flex Interactions webhooks: registered, received, "
  .. "routed")
put ".SH SYNOPSIS"
verbatim(parser:get_usage():gsub("^Usage: ", ""))
put ".SH DESCRIPTION"
put(escape(DESCRIPTION))
put ".SH COMMANDS"
for _, child in ipairs(parser._commands) do
  command(child, "flexhooks " .. child._name)
end
put ".SH ENVIRONMENT"
put(escape("Secrets come from the environment, from files named by "
  .. "--auth-token-file and --api-secret-file, or from a person at the "
  .. "terminal; never from arguments."))
list(ENVIRONMENT)
put ".SH EXIT STATUS"
list(STATUS)
io.stdout:write(table.concat(lines, "\n"), "\n")
