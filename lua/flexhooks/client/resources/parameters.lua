--- Parameter tables of the API, checked and made into requests.
--
-- An action describes one call: `fields` (name -> field of
-- `flexhooks.client.resources.fields`, or `{ texts = field, wire = name }`),
-- `required` (names), `check` (function of the table, returns what is wrong),
-- or `json`: the body is JSON with whatever was given.
-- @module flexhooks.client.resources.parameters

local ascii = require "flexhooks.util.ascii"
local encode = require "flexhooks.client.encode"
local options = require "flexhooks.util.options"
local tables = require "flexhooks.util.tables"

local M = {}

local HINTS = {
  timeout = "options of the call go in a table of their own, after this one",
}
HINTS.max_retries = HINTS.timeout

--- webhook_url -> WebhookUrl
---@param name string
---@return string
function M.wire_name(name)
  return (("_" .. name):gsub("_([a-z])", ascii.upper))
end

-- Does the table say that the name came from the API? An object carries its
-- whole answer along, so fields that Twilio adds one day are no mistakes.
local function came_with(params, name)
  local data = rawget(params, "data")
  return type(data) == "table" and rawget(data, name) ~= nil
end

-- What is wrong with the names in `params`. Fields that only answers have are
-- let pass: a copy of a fetched object is a good parameter table.
local function name_complaint(class, action, params)
  for name in next, params do
    if type(name) ~= "string" then
      return "parameter names must be strings, got " .. type(name)
    end
    if not action.json and not action.fields[name]
      and not class.known[name] and not came_with(params, name) then
      local hint = class.hints[name] or HINTS[name]
      return "unknown parameter '" .. name:sub(1, 64) .. "'"
        .. (hint and " (" .. hint .. ")"
          or options.suggestion(name, action.fields))
    end
  end
  for _, name in ipairs(action.required or {}) do
    if rawget(params, name) == nil then
      return "parameter '" .. name .. "' is missing"
    end
  end
  return action.check and action.check(params)
end

-- The pairs of a form: each field given, under its wire name.
local function encode_form(action, params)
  local list = {}
  for _, name in ipairs(action.order) do
    local value, field = rawget(params, name), action.fields[name]
    if value ~= nil then
      local texts, wrong = field.texts(value)
      if not texts then
        return nil, "parameter '" .. name .. "' " .. wrong
      end
      for _, text in ipairs(texts) do
        list[#list + 1] = { field.wire, text }
      end
    end
  end
  if #list == 0 then
    return nil, "no parameter to send was given"
  end
  return list
end

-- A JSON body holds whatever is given but the fields that only answers have.
local function encode_json(class, action, params)
  local body = {}
  for name, value in next, params do
    if not class.known[name] or action.writable[name] then
      body[name] = value
    end
  end
  return encode.json(body)
end

--- The request that a parameter table stands for.
---@param class table `known` (names that answers hold), `hints`
---@param action table
---@param params any
---@param position integer of the table among the arguments
---@return table? request method, body, content_type
---@return string? wrong
function M.request(class, action, params, position)
  if type(params) ~= "table" then
    return nil, "argument " .. position .. " must be a table of parameters, "
      .. "got " .. type(params)
  end
  local wrong = name_complaint(class, action, params)
  if wrong then
    return nil, wrong
  end
  if action.json then
    local text, why = encode_json(class, action, params)
    return text and { method = "POST", body = text,
      content_type = "application/json" }, why
  end
  local list, why = encode_form(action, params)
  if not list then
    return nil, why
  end
  local body, content_type = encode.form(list)
  return { method = "POST", body = body, content_type = content_type }
end

--- Completes a description: wire names, and one order for the same bytes.
---@param action table?
function M.complete(action)
  if not action or action.json then
    return
  end
  for name, field in pairs(action.fields) do
    if type(field) == "function" then
      action.fields[name] = { texts = field, wire = M.wire_name(name) }
    end
  end
  action.order = tables.sorted_keys(action.fields)
end

return M
