package.path = "tools/?.lua;" .. package.path
local process = require "spec.support.process"
local reference = require "reference"

local function converted(line)
  return (reference.convert(line .. "\n"):gsub("\n$", ""))
end

describe("reference", function()
  for from, to in pairs {
    ["---@param a string what it is"] = "-- @tparam string a what it is",
    ["---@param a? string"] = "-- @tparam string a ",
    ["---@param a table<string, table> b"] =
      "-- @tparam table<string,table> a b",
    ["---@param f fun(a: table, b: table): boolean called"] =
      "-- @tparam fun(a:table,b:table):boolean f called",
    ["---@param a string | nil or so"] = "-- @tparam string|nil a or so",
    ["---@param o { a: string, b: number? }? x"] =
      "-- @tparam {a:string,b:number|nil}|nil o x",
    ["---@return string[] list of them"] = "-- @treturn string[] list of them",
    ["---@return fun(): string?, table? next one"] =
      "-- @treturn fun():string|nil,table|nil next one",
    ["---@return nil"] = "-- @treturn nil ",
    ["---@class flexhooks.Error"] =
      "--- flexhooks.Error\n-- @table flexhooks.Error",
    ["---@field status integer? HTTP"] = "-- @tfield integer|nil status HTTP",
    ["---@overload fun()"] = "",
    ["---| fun(a: string)"] = "",
    ["--- Text."] = "--- Text.",
    ["-- @module flexhooks"] = "-- @module flexhooks",
    ["local a = '---@param'"] = "local a = '---@param'",
  } do
    it("turns " .. from, function()
      assert.equal(to, converted(from))
    end)
  end

  it("copies modules for LDoc to read", function()
    local dir = process.folder()
    local status, _, err = process.run { process.lua, "tools/reference.lua",
      dir, "flexhooks", "flexhooks.error" }
    assert.equal("0", status .. err)
    assert.matches("-- @module flexhooks\n",
      process.read(dir .. "/flexhooks.lua"), 1, true)
    assert.matches("-- @tparam string kind one of the documented kinds\n",
      process.read(dir .. "/flexhooks.error.lua"), 1, true)
  end)
end)
