-- How the parts of a request are read.
local M = {}

-- target, path, query
M.targets = {
  { "/a", "/a" },
  { "/a?", "/a", "" },
  { "/a?b", "/a", "b" },
  { "/a?b?c", "/a", "b?c" },
  { "/?b", "/", "b" },
  { "?b", "", "b" },
  { "", "" },
  { "http://h/a?b", "/a", "b" },
  { "HTTP://h/a", "/a" },
  { "https://u:p@h:1/a//b", "/a//b" },
  { "http://h", "/" },
  { "http://h?b", "/", "b" },
  { "http://", "/" },
  { "http:///a", "/a" },
  { "a://h/x", "/x" },
  { "://h/x", "://h/x" },
  { "1://h/x", "1://h/x" },
  { "/http://h/x", "/http://h/x" },
  { "//h/x", "//h/x" },
  { "/a?u=http://h/x", "/a", "u=http://h/x" },
}

-- path, is there a bad escape?
M.escapes = {
  { "/a", false }, { "/%41", false }, { "/%aF%Fa", false },
  { "/%2541", false },
  { "/%", true }, { "/%4", true }, { "/%4g", true }, { "/%g4", true },
  { "/%%41", true }, { "/%4%41", true }, { "/% 41", true },
  { "/%\0001", true },
}

-- query, fields
M.queries = {
  { "", {} },
  { "a", { a = "" } },
  { "a=", { a = "" } },
  { "a=b=c", { a = "b=c" } },
  { "a=1&&b=2&", { a = "1", b = "2" } },
  { "%61%20b=c+d%2B", { ["a b"] = "c d+" } },
}

return M
