-- Whatever command a page prints, also where it cannot be run here, is one
-- that the command's own parsers take.
local cli = require "flexhooks.cli.main"
local lfs = require "lfs"
local process = require "spec.support.process"

local function pages()
  local list = { "README.md", "CONTRIBUTING.md" }
  for name in lfs.dir "docs" do
    if name:find "%.md$" then
      list[#list + 1] = "docs/" .. name
    end
  end
  table.sort(list)
  return list
end

-- The words of a command line, up to what is the shell's.
local function words_of(line)
  local words = {}
  line = line:gsub("'([^']*)'", function(text)
    return (text:gsub("%s", "_"))
  end):gsub('"([^"]*)"', "%1")
  for word in line:gmatch "%S+" do
    if word:find "^[#&|<>)]" or word:find "^%d?[<>]" then
      break
    end
    words[#words + 1] = (word:gsub("%)$", ""))
  end
  return words
end

-- The command lines of a page's blocks for the shell.
local function commands_of(text)
  local list = {}
  for block in text:gmatch "```sh\n(.-)```" do
    block = block:gsub("\\\n", " ")
    for line in block:gmatch "[^\n]+" do
      local arguments = (" " .. line):gsub(" #.*$", ""):match
        "[ (]flexhooks (%l.*)$"
      if arguments then
        list[#list + 1] = arguments
      end
    end
  end
  return list
end

describe("the pages", function()
  it("print commands that there are", function()
    local count = 0
    for _, path in ipairs(pages()) do
      for _, line in ipairs(commands_of(process.read(path))) do
        count = count + 1
        local parser = cli.parser()
        local ok, wrong = parser:pparse(words_of(line))
        assert.is_true(ok, ("%s: flexhooks %s\n%s"):format(path, line,
          tostring(wrong)))
      end
    end
    assert.is_true(count > 30, count .. " commands")
  end)
end)
