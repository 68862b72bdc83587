-- Signatures computed the plain way, in Lua alone: what the C code is compared
-- with. Slow, and as close to the published definitions as it can be. SHA-256
-- itself is the core's, which published hashes check.
local core = require "flexhooks.core"

local M = {}

-- Five operations on words of 32 bits, which each Lua spells differently.
local bit = rawget(_G, "jit") and require "bit" or assert(load [[
  local mask = 0xffffffff
  return {
    bxor = function(a, b) return (a ~ b) & mask end,
    band = function(a, b) return a & b & mask end,
    bor = function(a, b) return (a | b) & mask end,
    bnot = function(a) return ~a & mask end,
    rol = function(a, n) return (a << n | (a & mask) >> 32 - n) & mask end,
  }]])()
local bxor, band, bor, rol = bit.bxor, bit.band, bit.bor, bit.rol

local function word(bytes, at)
  local a, b, c, d = bytes:byte(at, at + 3)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

local function bytes_of(number)
  local bytes = {}
  for i = 4, 1, -1 do
    bytes[i] = string.char(number % 256)
    number = math.floor(number / 256)
  end
  return table.concat(bytes)
end

local function round(i, b, c, d)
  if i < 20 then
    return bor(band(b, c), band(bit.bnot(b), d)), 0x5a827999
  elseif i < 40 then
    return bxor(bxor(b, c), d), 0x6ed9eba1
  elseif i < 60 then
    return bor(bor(band(b, c), band(b, d)), band(c, d)), 0x8f1bbcdc
  end
  return bxor(bxor(b, c), d), 0xca62c1d6
end

local function block(state, bytes, at)
  local w = {}
  for i = 0, 79 do
    w[i] = i < 16 and word(bytes, at + 4 * i)
      or rol(bxor(bxor(w[i - 3], w[i - 8]), bxor(w[i - 14], w[i - 16])), 1)
  end
  local a, b, c, d, e = state[1], state[2], state[3], state[4], state[5]
  for i = 0, 79 do
    local f, k = round(i, b, c, d)
    local t = (rol(a, 5) % 2 ^ 32 + f % 2 ^ 32 + e + k + w[i] % 2 ^ 32)
      % 2 ^ 32
    a, b, c, d, e = math.floor(t), a, rol(b, 30) % 2 ^ 32, c, d
  end
  for i, value in ipairs { a, b, c, d, e } do
    state[i] = math.floor((state[i] + value) % 2 ^ 32)
  end
end

--- SHA-1, as FIPS 180 describes it.
function M.sha1(bytes)
  local state = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 }
  local padded = bytes .. "\128" .. ("\0"):rep((55 - #bytes) % 64 + 4)
    .. bytes_of(#bytes * 8)
  for at = 1, #padded, 64 do
    block(state, padded, at)
  end
  for i = 1, 5 do
    state[i] = bytes_of(state[i])
  end
  return table.concat(state)
end

local function padded_key(key, pad)
  local padded = key .. ("\0"):rep(64 - #key)
  return (padded:gsub(".", function(c)
    return string.char(bxor(c:byte(), pad))
  end))
end

local function sha256(bytes)
  return (core.sha256(bytes):gsub("%x%x", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

--- HMAC, as RFC 2104 describes it.
function M.hmac(key, bytes, algorithm)
  local hash = algorithm == "HMAC_SHA256" and sha256 or M.sha1
  key = #key > 64 and hash(key) or key
  local inner = padded_key(key, 0x36)
  return hash(padded_key(key, 0x5c) .. hash(inner .. bytes))
end

local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
  .. "0123456789+/"

--- Base64, as RFC 4648 describes it.
function M.base64(bytes)
  local out = {}
  for at = 1, #bytes, 3 do
    local a, b, c = bytes:byte(at, at + 2)
    local number = a * 65536 + (b or 0) * 256 + (c or 0)
    for i = 3, 0, -1 do
      local digit = math.floor(number / 64 ^ i) % 64 + 1
      out[#out + 1] = DIGITS:sub(digit, digit)
    end
    out[#out] = c and out[#out] or "="
    out[#out - 1] = b and out[#out - 1] or "="
  end
  return table.concat(out)
end

--- The string that is signed for { name, value } pairs.
function M.signed_string(url, list)
  local names, values, seen = {}, {}, {}
  for _, pair in ipairs(list) do
    local name, value = pair[1], pair[2]
    if not values[name] then
      values[name] = {}
      names[#names + 1] = name
    end
    local key = #name .. ":" .. name .. value
    if not seen[key] then
      seen[key] = true
      table.insert(values[name], value)
    end
  end
  M.sort(names)
  local out = { url }
  for _, name in ipairs(names) do
    M.sort(values[name])
    for _, value in ipairs(values[name]) do
      out[#out + 1] = name .. value
    end
  end
  return table.concat(out)
end

--- Sorts strings by their bytes; `<` would follow the locale.
function M.sort(list)
  local function less(a, b)
    for i = 1, math.min(#a, #b) do
      if a:byte(i) ~= b:byte(i) then
        return a:byte(i) < b:byte(i)
      end
    end
    return #a < #b
  end
  table.sort(list, less)
end

--- X-Twilio-Signature of a delivery.
function M.signature(token, url, list, algorithm)
  return M.base64(M.hmac(token, M.signed_string(url, list), algorithm))
end

return M
