-- Decoding against lua-cjson, which reads what has been checked.
local cjson = require("cjson").new()
local core = require "flexhooks.core"
local json = require "flexhooks.json"

cjson.decode_invalid_numbers(false)
cjson.decode_max_depth(1000)

-- What lua-cjson gives, as we give it.
local function settle(value, keep_null)
  if value == cjson.null then
    return keep_null and value or nil
  elseif type(value) == "table" then
    for k, v in next, value do
      value[k] = settle(v, keep_null)
    end
  end
  return value
end

local function reference(text, keep_null)
  if core.json_check(text, 64, 127) then
    return settle(cjson.decode(text), keep_null)
  end
end

-- Equality, and the keys of both. lua-cjson has no integers beyond 2^53.
local function same(a, b)
  if type(a) == "number" and type(b) == "number" then
    return a == b * 1.0 and (a ~= 0 or 1 / a == 1 / (b * 1.0))
  elseif type(a) ~= "table" or type(b) ~= "table" then
    return a == b
  end
  for k, v in next, a do
    if not same(v, b[k]) then
      return false
    end
  end
  for k in next, b do
    if a[k] == nil then
      return false
    end
  end
  return true
end

local accepted, refused = 0, 0

local function compare(text)
  for _, keep_null in ipairs { false, true } do
    local expected = reference(text, keep_null)
    local value, message = json.decode(text, { keep_null = keep_null })
    if not same(expected, value) and expected ~= json.null then
      error(("other than lua-cjson: %q (%s)"):format(text,
        tostring(message)))
    end
    if value == nil then
      assert.is_string(message)
      refused = refused + 1
    else
      accepted = accepted + 1
    end
  end
end

local seed

local function random(n)
  seed = (seed * 16807) % 2147483647
  return seed % n + 1
end

local STRINGS = { '""', '"a"', '"\\u0041\\n\\"\\/"',
  '"\195\169\\ud83d\\ude00"',
  '"\\u0000"', '"' .. ("x"):rep(300) .. '"', '"\\\\"', '"\240\159\152\128"' }
local NUMBERS = { "0", "-0", "1", "-1", "0.1", "1e2", "1E-7", "123456789",
  "9007199254740993", "1.7976931348623157e308", "5e-324", "1e-400", "0.5e1",
  "12345678901234567890", "-3.14159265358979323846" }
local WORDS = { "true", "false", "null" }

local make_value

local function join(depth, count, item)
  local parts = {}
  for i = 1, count do
    parts[i] = item(i, depth)
  end
  return table.concat(parts, random(3) == 1 and " , " or ",")
end

local function member(i, depth)
  local name = random(40) == 1 and "a" or "n" .. i
  return '"' .. name .. '":' .. make_value(depth)
end

local function element(_, depth)
  return make_value(depth)
end

function make_value(depth)
  local kind = random(depth > 5 and 4 or 8)
  if kind == 1 then
    return WORDS[random(#WORDS)]
  elseif kind == 2 then
    return NUMBERS[random(#NUMBERS)]
  elseif kind == 3 then
    return ("%.17g"):format((random(2 ^ 30) - 2 ^ 29) / random(1000))
  elseif kind == 4 then
    return STRINGS[random(#STRINGS)]
  elseif kind <= 6 then
    return "[" .. join(depth + 1, random(6) - 1, element) .. "]"
  end
  return "{" .. join(depth + 1, random(6) - 1, member) .. "}"
end

local BYTES = '{}[]",:\\ue+-.0159tfnal \t\n\1\195\169\255'

-- One byte is left out, put in or exchanged.
local function mutate(text)
  local at = random(#text + 1) - 1
  local how, i = random(3), random(#BYTES)
  return text:sub(1, math.max(0, at - (how == 2 and 0 or 1)))
    .. (how == 1 and "" or BYTES:sub(i, i)) .. text:sub(at + 1)
end

describe("what is decoded is what lua-cjson decodes", function()
  it("of the bodies that events come in", function()
    for _, row in ipairs(dofile "spec/data/receiver/json.lua") do
      local request = type(row[4]) == "function" and row[4]() or nil
      if request and type(request.body) == "string" then
        compare(request.body)
      end
    end
  end)

  it("of random documents, whole and broken", function()
    seed = 20070312
    accepted, refused = 0, 0
    for _ = 1, 3000 do
      local text = make_value(0)
      compare(text)
      compare(mutate(text))
      compare(mutate(mutate(text)))
    end
    assert.is_true(accepted > 5000)
    assert.is_true(refused > 3000)
  end)

  it("of every prefix of a document", function()
    local text = ' {"a":[1,-2.5e3,true,null,"\\u00e9\\ud83d\\ude00",{}],"b":'
      .. '{"c":"\195\169"}} '
    for i = 0, #text do
      compare(text:sub(1, i))
    end
  end)
end)
