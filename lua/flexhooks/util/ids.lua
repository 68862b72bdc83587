--- Shapes of Twilio's identifiers, and the time that a ttid carries.
-- @module flexhooks.util.ids

local M = {}

local HEX32 = ("%x"):rep(32)

--- A check (for option rules) of SIDs that begin with `prefix`.
---@param prefix string two capitals, as in "KD"
---@return fun(value: any): string? complaint nil where the shape is right
function M.sid(prefix)
  local pattern = "^" .. prefix .. HEX32 .. "$"
  return function(value)
    if type(value) ~= "string" or not value:find(pattern) then
      return "must be a SID: " .. prefix .. " and 32 hexadecimal digits"
    end
  end
end

local TTID = "^flex_interactionwebhook_(%w+)$"

--- A check of webhook ttids. The suffix's length is not insisted on: it
-- differs between Twilio's documentation and its answers.
---@return string? complaint
function M.ttid(value)
  if type(value) ~= "string" or #value > 128 or not value:find(TTID) then
    return "must be a ttid: flex_interactionwebhook_ and letters or digits"
  end
end

local DIGITS = {}
for i = 1, 32 do
  DIGITS[("0123456789abcdefghjkmnpqrstvwxyz"):sub(i, i)] = i - 1
end

local function crockford(text)
  local digits = {}
  for i = 1, #text do
    digits[i] = DIGITS[text:sub(i, i)]
    if not digits[i] then
      return nil
    end
  end
  return digits
end

--- When the webhook behind a ttid was created: its suffix is a UUIDv7 in 26
-- base32 digits, whose first ten are the milliseconds since 1970.
---@return number? seconds Unix time, or nil where the ttid carries none
function M.ttid_time(ttid)
  local suffix = type(ttid) == "string" and ttid:match(TTID)
  local digits = suffix and #suffix == 26 and crockford(suffix)
  if not digits or digits[1] > 7 then
    return nil
  end
  -- Bits 48 to 51 hold the version, bits 64 and 65 the variant.
  local version = math.floor(digits[11] / 2)
  local variant = math.floor(digits[14] / 4) % 4
  if version ~= 7 or variant ~= 2 then
    return nil
  end
  local milliseconds = 0
  for i = 1, 10 do
    milliseconds = milliseconds * 32 + digits[i]
  end
  return milliseconds / 1000
end

return M
