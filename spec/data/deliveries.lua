-- Deliveries, good and hostile, and what a verifier must make of each.
--
-- headers: { what, header made of the right one, reason or nil }
-- forms:   { what, body, string signed behind the URL, event or reason }
-- hashes:  { what, query (HASH stands for the body's), body, reason or nil }
local M = {}

local OTHER_HASH = ("0123456789abcdef"):rep(4)

local function with_last(good, character)
  return good:sub(1, 26) .. character .. "="
end

-- The neighbour of the last digit that decodes to the same bytes.
local function same_bytes(good)
  local digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    .. "0123456789+/"
  local at = digits:find(good:sub(27, 27), 1, true)
  return with_last(good, digits:sub(at + 1, at + 1))
end

M.headers = {
  { "the right one", function(good) return good end },
  { "none", function() return nil end, "signature_missing" },
  { "an empty one", function() return "" end, "signature_missing" },
  { "spaces", function() return "   " end, "signature_shape" },
  { "28 spaces", function() return (" "):rep(28) end, "signature_shape" },
  { "a list", function(good) return good .. ", " .. good end,
    "signature_shape" },
  { "a newline behind", function(good) return good .. "\n" end,
    "signature_shape" },
  { "more behind", function(good) return good .. " x" end, "signature_shape" },
  { "a second =", function(good) return good .. "=" end, "signature_shape" },
  { "a letter behind", function(good) return good .. "A" end,
    "signature_shape" },
  { "a space before", function(good) return " " .. good end,
    "signature_shape" },
  { "no padding", function(good) return good:sub(1, 27) end,
    "signature_shape" },
  { "lower case", string.lower, "signature_" },
  { "upper case", string.upper, "signature_" },
  { "other bits that mean nothing", same_bytes, "signature_shape" },
  { "28 NULs", function() return ("\0"):rep(28) end, "signature_shape" },
  { "28 bytes 0xff", function() return ("\255"):rep(28) end,
    "signature_shape" },
  { "14 letters of two bytes", function() return ("\195\169"):rep(14) end,
    "signature_shape" },
  { "8192 bytes", function() return ("A"):rep(8192) end, "signature_shape" },
  { "all zeroes", function() return ("A"):rep(27) .. "=" end,
    "signature_differs" },
  { "what a key for SHA-256 makes", function()
    return ("A"):rep(43) .. "="
  end, "algorithm_differs" },
  { "44 characters that are not canonical", function()
    return ("A"):rep(42) .. "B="
  end, "signature_shape" },
}

M.forms = {
  { "nothing", "", "", {} },
  { "a name without =", "a", "a", { a = "" } },
  { "a second =", "a==b", "a=b", { a = "=b" } },
  { "an empty name", "=b", "b", { [""] = "b" } },
  { "empty pieces", "&&a=1&&b=2&", "a1b2", { a = "1", b = "2" } },
  { "a bare %", "a=%", "a%", "malformed" },
  { "half an escape", "a=%4", "a%4", "malformed" },
  { "no hex", "a=%zz", "a%zz", "malformed" },
  { "half hex", "a=%G0", "a%G0", "malformed" },
  { "% before an escape", "a=%%41", "a%A", "malformed" },
  { "a bad escape in a name", "%=a", "%a", "malformed" },
  { "a NUL in a name, escaped", "%00=x", "\0x", "malformed" },
  { "a NUL in a name", "a\0b=x", "a\0bx", "malformed" },
  { "a NUL in a value", "a=x%00y", "ax\0y", { a = "x\0y" } },
  { "bytes that are no UTF-8", "a=%ff%fe", "a\255\254", { a = "\255\254" } },
  { "an overlong slash", "a=%c0%af", "a\192\175", { a = "\192\175" } },
  { "raw bytes", "a=\128\255", "a\128\255", { a = "\128\255" } },
  { "a + for a space", "a=+", "a ", { a = " " } },
  { "an escaped plus", "a=%2B", "a+", { a = "+" } },
  { "an escaped space", "a=%20", "a ", { a = " " } },
  { "a + signed as such", "a=+", "a+", "signature_differs" },
  { "an escaped name", "%41ccountSid=x&B=y", "AccountSidxBy",
    { AccountSid = "x", B = "y" } },
  { "values in reverse", "a=2&a=1", "a1a2", { a = { "1", "2" } } },
  { "values in reverse, signed so", "a=2&a=1", "a2a1", "signature_differs" },
  { "the same value twice", "a=1&a=1", "a1", { a = "1" } },
  { "the same value twice, signed so", "a=1&a=1", "a1a1",
    "signature_differs" },
  { "three values, two of them distinct", "a=2&a=1&a=2", "a1a2",
    { a = { "1", "2" } } },
  { "only the first value signed", "a=1&a=2", "a1", "signature_differs" },
  { "values joined by a comma", "a=1&a=2", "a1,2", "signature_differs" },
  { "names in another order", "b=1&a=2", "a2b1", { a = "2", b = "1" } },
  { "names signed as they came", "b=1&a=2", "b1a2", "signature_differs" },
  { "upper case before lower", "a=1&B=2", "B2a1", { a = "1", B = "2" } },
  { "a name that another begins with", "ab=1&a=z", "azab1",
    { a = "z", ab = "1" } },
  { "ordered by name and value as one", "ab=1&a=z", "ab1az",
    "signature_differs" },
  { "names of metamethods", "__index=1&__gc=2&__newindex=3&constructor=4"
    .. "&__proto__=5", "__gc2__index1__newindex3__proto__5constructor4",
    { __index = "1", __gc = "2", __newindex = "3", constructor = "4",
      __proto__ = "5" } },
  { "names that are numbers", "1=a&2=b", "1a2b",
    { ["1"] = "a", ["2"] = "b" } },
  { "spaces around", " a = b ", " a  b ", { [" a "] = " b " } },
  { "a byte order mark", "\239\187\191a=b", "\239\187\191ab",
    { ["\239\187\191a"] = "b" } },
  { "10,000 plus signs", "a=" .. ("+"):rep(10000), "a" .. (" "):rep(10000),
    { a = (" "):rep(10000) } },
  { "21,000 escapes", "a=" .. ("%20"):rep(21000), "a" .. (" "):rep(21000),
    { a = (" "):rep(21000) } },
  { "a name at its cap", ("n"):rep(127) .. "=1", ("n"):rep(127) .. "1",
    { [("n"):rep(127)] = "1" } },
  { "a name over its cap", ("n"):rep(128) .. "=1", ("n"):rep(128) .. "1",
    "too_large" },
  { "an escaped name at its cap", ("%6e"):rep(127), ("n"):rep(127),
    { [("n"):rep(127)] = "" } },
  { "a value at its cap", "a=" .. ("v"):rep(65536), "a" .. ("v"):rep(65536),
    { a = ("v"):rep(65536) } },
  { "a value over its cap", "a=" .. ("v"):rep(65537),
    "a" .. ("v"):rep(65537), "too_large" },
  { "1,000 fields", ("a&"):rep(1000), "a", { a = "" } },
  { "1,001 fields", ("a&"):rep(1001), "a", "too_large" },
  { "as long as the cap", ("&"):rep(262144), "", {} },
  { "longer than the cap", ("&"):rep(262145), "", "too_large" },
  { "malformed and too large", "a=%&" .. ("n"):rep(128), "", "too_large" },
  { "text that is JSON", '{"a":1}', '{"a":1}', { ['{"a":1}'] = "" } },
}

M.hashes = {
  { "the right hash", "bodySHA256=HASH", "{}" },
  { "the right hash among others", "a=1&bodySHA256=HASH&b", "{}" },
  { "of an empty body", "bodySHA256=HASH", "" },
  { "of form text", "bodySHA256=HASH", "a=1&b=2" },
  { "of bytes that are not JSON", "bodySHA256=HASH", "{\0\255" },
  { "no query", nil, "{}", "body_unsigned" },
  { "an empty query", "", "{}", "body_unsigned" },
  { "another case", "bodysha256=HASH", "{}", "body_unsigned" },
  { "a name that ends so", "xbodySHA256=HASH", "{}", "body_unsigned" },
  { "a name that begins so", "bodySHA2567=HASH", "{}", "body_unsigned" },
  { "an escaped name", "%62odySHA256=HASH", "{}", "body_unsigned" },
  { "a wrong hash", "bodySHA256=" .. OTHER_HASH, "{}", "body_differs" },
  { "right, then wrong", "bodySHA256=HASH&bodySHA256=" .. OTHER_HASH, "{}",
    "body_differs" },
  { "wrong, then right", "bodySHA256=" .. OTHER_HASH .. "&bodySHA256=HASH",
    "{}", "body_differs" },
  { "right twice", "bodySHA256=HASH&bodySHA256=HASH", "{}", "body_differs" },
  { "upper case", "bodySHA256=UPPER", "{}", "body_differs" },
  { "63 digits", "bodySHA256=SHORT", "{}", "body_differs" },
  { "65 digits", "bodySHA256=HASH0", "{}", "body_differs" },
  { "an escaped digit", "bodySHA256=ESCAPED", "{}", "body_differs" },
  { "base64", "bodySHA256=RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=",
    "{}", "body_differs" },
  { "nothing", "bodySHA256=", "{}", "body_differs" },
  { "not even =", "bodySHA256", "{}", "body_differs" },
  { "a space behind", "bodySHA256=HASH+", "{}", "body_differs" },
}

return M
