local lfs = require "lfs"
local process = require "spec.support.process"

local PAGE = "docs/portability.md"

-- Returns the table's rows, each a list of its cells.
local function read_rows()
  local rows = {}
  for line in process.read(PAGE):gmatch "\n(|[^\n]*)" do
    local cells = {}
    for cell in line:sub(2):gmatch "%s*(.-)%s*|" do
      cells[#cells + 1] = cell
    end
    rows[#rows + 1] = cells
  end
  return rows
end

-- Returns the names in backquotes; those of a cell that holds none may only be
-- "nowhere" or "not seen".
local function paths_of(cell)
  local paths = {}
  for path in cell:gmatch "`([^`]+)`" do
    paths[#paths + 1] = path
  end
  assert(#paths > 0 or cell == "nowhere" or cell == "not seen", cell)
  return paths
end

describe(PAGE, function()
  local rows = read_rows()

  it("has complete rows", function()
    assert.same({ "library", "versions", "what differs", "handled in",
      "spec" }, rows[1])
    assert.is_true(#rows > 3)
    for i = 3, #rows do
      assert.equal(5, #rows[i], rows[i][1])
      for _, cell in ipairs(rows[i]) do
        assert.is_true(#cell > 0, table.concat(rows[i], " | "))
      end
      assert.matches("%d", rows[i][2])
    end
  end)

  it("names files that exist", function()
    for i = 3, #rows do
      for column = 4, 5 do
        for _, path in ipairs(paths_of(rows[i][column])) do
          assert.equal("file", lfs.attributes(path, "mode"), path)
        end
      end
    end
  end)

  it("names each difference once", function()
    local seen = {}
    for i = 3, #rows do
      local key = rows[i][1] .. rows[i][3]
      assert.is_nil(seen[key], key)
      seen[key] = true
    end
  end)

  it("names the systems that the README names", function()
    local readme, page = process.read "README.md", process.read(PAGE)
    for _, text in ipairs { readme, page } do
      assert.matches("Debian 12", text, 1, true)
      assert.matches("Debian 13", text, 1, true)
      assert.is_nil(text:find "Ubuntu")
    end
  end)
end)
