-- What a server may answer, and what a transport is to make of it: the rows of
-- spec/data/answers.lua, for every transport the same.
--
--   answers.of { get = function(path, fields) -> response | nil, err,
--                server = function() -> of spec.support.rude,
--                is_error = function(err) -> boolean, where one can tell,
--                otherwise = { [path] = outcome } }
local assert = require "luassert"
local busted = require "busted"

local M = {}

local function check_failure(err, outcome, url)
  assert.equal(outcome, err.kind)
  assert.is_true(err.sent)
  assert.equal("GET", err.method)
  assert.equal(url, err.url)
end

local function check_answer(response, outcome, row)
  assert.equal(outcome, response.status)
  assert.equal(row.body, response.body)
  if row.header then
    assert.equal(row.header[2], response.headers[row.header[1]])
  end
end

local function check(bench, row, outcome)
  local server, path = bench.server(), row[1]
  local response, err = bench.get(path,
    { timeout = row.timeout, max_response = row.max })
  if type(outcome) == "string" then
    assert.is_nil(response)
    assert.is_true(not bench.is_error or bench.is_error(err))
    check_failure(err, outcome, server.url .. "/" .. path)
  else
    assert.is_nil(err)
    check_answer(response, outcome, row)
  end
  assert.equal(1, #server:requests())
  assert.equal("ok", assert(bench.get "ok").body)
end

function M.of(bench)
  busted.describe("what a server may answer", function()
    for _, row in ipairs(dofile "spec/data/answers.lua") do
      local outcome = bench.otherwise and bench.otherwise[row[1]] or row[2]
      local cap = row.max and ", capped at " .. row.max or ""
      busted.it(row[1] .. cap .. ": " .. outcome, function()
        check(bench, row, outcome)
      end)
    end
  end)
end

return M
