-- Settings headers, lawful and hostile, with the verdict on each: an id and an
-- algorithm, or the reason of the refusal.
--
-- { what, header, id | nil, algorithm or reason }
local d = require "spec.support.deliveries"

local ID = d.shared.id
local OTHER = "webhooks_sharedkey_other"
local SHA1, SHA256 = "HMAC_SHA1", "HMAC_SHA256"
local KEY, ALGORITHM = "key=" .. ID, "algorithm=" .. SHA256
local BAD, UNKNOWN = "settings_malformed", "algorithm_unknown"

local M = {}

M.lawful = {
  { "what Twilio sends", KEY .. "," .. ALGORITHM, ID, SHA256 },
  { "SHA-1", KEY .. ",algorithm=" .. SHA1, ID, SHA1 },
  { "no algorithm", KEY, ID, SHA1 },
  { "an empty algorithm", KEY .. ",algorithm=", ID, SHA1 },
  { "another order", ALGORITHM .. "," .. KEY, ID, SHA256 },
  { "blanks", " key = " .. ID .. " ,\talgorithm = " .. SHA256 .. " ", ID,
    SHA256 },
  { "another case of the algorithm", KEY .. ",algorithm=hmac_Sha256", ID,
    SHA256 },
  { "a part that is new", KEY .. "," .. ALGORITHM .. ",version=2", ID,
    SHA256 },
  { "a comma behind", KEY .. "," .. ALGORITHM .. ",", ID, SHA256 },
  { "the longest id", "key=webhooks_sharedkey_" .. ("a"):rep(64),
    "webhooks_sharedkey_" .. ("a"):rep(64), SHA1 },
}

M.hostile = {
  { "nothing", "", nil, BAD },
  { "blanks", " \t ", nil, BAD },
  { "what stands for a repeated header", ",", nil, BAD },
  { "no key", ALGORITHM, nil, BAD },
  { "an empty key", "key=," .. ALGORITHM, nil, BAD },
  { "a blank key", "key= ," .. ALGORITHM, nil, BAD },
  { "a key without =", "key," .. ALGORITHM, nil, BAD },
  { "the id alone", ID, nil, BAD },
  { "two keys", KEY .. ",key=" .. OTHER .. "," .. ALGORITHM, nil, BAD },
  { "one key twice", KEY .. "," .. KEY .. "," .. ALGORITHM, nil, BAD },
  { "an empty key and one", "key=," .. KEY .. "," .. ALGORITHM, nil, BAD },
  { "two algorithms", KEY .. ",algorithm=" .. SHA1 .. "," .. ALGORITHM, nil,
    BAD },
  { "one algorithm twice", KEY .. "," .. ALGORITHM .. "," .. ALGORITHM, nil,
    BAD },
  { "an empty algorithm and one", KEY .. ",algorithm=," .. ALGORITHM, nil,
    BAD },
  { "another case of a name", "Key=" .. ID .. "," .. ALGORITHM, nil, BAD },
  { "semicolons", KEY .. ";" .. ALGORITHM, nil, BAD },
  { "quotes", 'key="' .. ID .. '",' .. ALGORITHM, nil, BAD },
  { "a prefix alone", "key=webhooks_sharedkey_," .. ALGORITHM, nil, BAD },
  { "an id that is too long", "key=webhooks_sharedkey_" .. ("a"):rep(65) .. ","
    .. ALGORITHM, nil, BAD },
  { "another prefix", "key=webhooks_setting_01k2h7," .. ALGORITHM, nil, BAD },
  { "another case of the prefix", "key=" .. ID:upper() .. "," .. ALGORITHM,
    nil, BAD },
  { "a path as id", "key=webhooks_sharedkey_../../etc/passwd," .. ALGORITHM,
    nil, BAD },
  { "an escaped id", "key=webhooks%5Fsharedkey_01k2h7," .. ALGORITHM, nil,
    BAD },
  { "a NUL in the id", KEY .. "\0," .. ALGORITHM, nil, BAD },
  { "a line break in the id", KEY .. "\nx," .. ALGORITHM, nil, BAD },
  { "bytes that are not ASCII", "key=webhooks_sharedkey_\195\169,"
    .. ALGORITHM, nil, BAD },
  { "a blank in the id", "key=webhooks_sharedkey_01k2h7 x," .. ALGORITHM, nil,
    BAD },
  { "a quote for a database", "key=webhooks_sharedkey_' OR 1=1," .. ALGORITHM,
    nil, BAD },
  { "more than 512 bytes", KEY .. "," .. ALGORITHM .. ","
    .. ("x"):rep(500), nil, BAD },
  { "8192 commas", (","):rep(8192), nil, BAD },
  { "an unknown algorithm", KEY .. ",algorithm=HMAC_SHA512", nil, UNKNOWN },
  { "no algorithm at all", KEY .. ",algorithm=none", nil, UNKNOWN },
  { "the hash's name", KEY .. ",algorithm=SHA256", nil, UNKNOWN },
  { "an algorithm with a NUL", KEY .. ",algorithm=" .. SHA256 .. "\0", nil,
    UNKNOWN },
  { "a second = in the algorithm", KEY .. ",algorithm==" .. SHA256, nil,
    UNKNOWN },
  { "an algorithm of another alphabet", KEY .. ",algorithm=HMAC_SHA\194\178"
    .. "56", nil, UNKNOWN },
}

return M
