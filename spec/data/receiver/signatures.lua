-- Rows of group D: the signature header and what stands in for it.
local core = require "flexhooks.core"
local d = require "spec.support.deliveries"

local function good()
  return d.sign(d.url, d.fields())
end

local function with(make)
  return function()
    return d.post { signature = make(good()) }
  end
end

local function value(text)
  return with(function()
    return text
  end)
end

-- The last of 28 characters is "="; the one before it has two unused bits.
local ALPHABET =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function next_letter(signature)
  local at = ALPHABET:find(signature:sub(27, 27), 1, true)
  return signature:sub(1, 26) .. ALPHABET:sub(at + 1, at + 1) .. "="
end

local rows = {
  { "good", 200, nil, with(function(s) return s end) },
  { "D001", 403, "signature_missing", function()
    return d.post { signature = false }
  end },
  { "D001 no headers", 403, "signature_missing", function()
    local request = d.post { signature = false }
    request.headers = nil
    return request
  end },
  { "D002 empty", 403, "signature_missing", value "" },
  { "D002 spaces", 403, "signature_shape", value "   " },
  { "D004", 403, "signature_shape", with(function(s)
    return s .. ", " .. ("A"):rep(27) .. "="
  end) },
  { "D004 twice the same", 403, "signature_shape", with(function(s)
    return s .. "," .. s
  end) },
  { "D004 a list", 403, "signature_shape", function()
    return d.post { headers = { ["X-Twilio-Signature"] = { good(), good() } } }
  end },
  { "D004 two spellings", 403, "signature_shape", function()
    return d.post { headers = { ["x-twilio-signature"] = good() } }
  end },
  { "a list of one", 200, nil, function()
    return d.post { headers = { ["X-Twilio-Signature"] = { good() } } }
  end },
  { "an empty list", 403, "signature_missing", function()
    return d.post { headers = { ["X-Twilio-Signature"] = {} } }
  end },
  { "another spelling", 200, nil, function()
    return d.post { signature = false,
      headers = { ["x-tWILIO-sIGNATURE"] = good() } }
  end },
  { "D009", 403, nil, with(next_letter) },
  { "D011", 403, nil, value(("A"):rep(43) .. "=") },
  { "D012", 403, nil, value(core.sha256("x"):sub(1, 27) .. "=") },
  { "D016 NUL", 403, "signature_shape", value(("\0"):rep(28)) },
  { "D016 0xff", 403, "signature_shape", value(("\255"):rep(28)) },
  { "D016 UTF-8", 403, "signature_shape", value(("\195\164"):rep(14)) },
  { "D017", 403, "signature_shape", value(("A"):rep(8192)) },
  { "D019", 403, "signature_missing", function()
    return d.post { signature = false,
      headers = { X_Twilio_Signature = good() } }
  end },
  { "another token", 403, "signature_differs", function()
    return d.post { token = "another" }
  end },
  { "an empty token", 403, "signature_differs", function()
    return d.post { signature = "thdUxbRVM8NPyMGMPDSGFCHMVCM=" }
  end },
  { "the URL alone", 403, "signature_differs", function()
    return d.post { signed = {} }
  end },
  { "D027", 405, "method", function()
    return d.get { body = "a=b" }
  end },
  { "D029", 415, "content_type", function()
    return d.post { content_type = "text/plain", signed = {}, body = "hello" }
  end },
  { "D029 unsigned", 415, "content_type", function()
    return d.post { content_type = "text/plain", signature = false }
  end },
}

for _, tail in ipairs { "\n", " x", "=", "A", " ", "\0", "\r\n" } do
  rows[#rows + 1] = { ("D006 %q"):format(tail), 403, "signature_shape",
    with(function(s) return s .. tail end) }
end
for _, change in ipairs { "lower", "upper", "reverse" } do
  rows[#rows + 1] = { "D007 " .. change, 403, nil, with(function(s)
    return s[change](s)
  end) }
end
for i = 1, 27, 5 do
  rows[#rows + 1] = { "one letter, number " .. i, 403, nil, with(function(s)
    local c = s:sub(i, i) == "A" and "B" or "A"
    return s:sub(1, i - 1) .. c .. s:sub(i + 1)
  end) }
end

return rows
