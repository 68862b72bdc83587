-- SIDs of the right shape, for rows that spoil one at a time.
local function sid(prefix, digit)
  return prefix .. (digit or "0"):rep(32)
end

return {
  account = sid("AC", "a"),
  other_account = sid("AC", "b"),
  instance = sid "GO",
  interaction = sid "KD",
  channel = sid "UO",
  participant = sid "UT",
  task = sid "WT",
  conversation = sid "CH",
  conference = sid "CF",
  make = sid,
}
