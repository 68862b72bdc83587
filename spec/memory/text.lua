-- What a queue writes down: a text is whole, or there is an error.
local core = require "flexhooks.core"

return function()
  local long = ("it's \0"):rep(3000)
  local text = core.json_text { 1.5, { long } }
  assert(text == '[1.5,["' .. ("it's \\u0000"):rep(3000) .. '"]]',
    "wrong: another text")
  assert(core.json_object('{"v":1', { a = "b", c = 7 }, { "c", "a" })
    == '{"v":1,"c":7,"a":"b"}', "wrong: another object")
  local rows = core.sql_rows("VALUES", { 1, long, 2, "it's" }, 2, 1, 4)
  assert(rows:find("^VALUES%(1,x'697427732000")
    and rows:find ",%(2,'it''s'%)$",
    "wrong: other rows")
  return true
end
