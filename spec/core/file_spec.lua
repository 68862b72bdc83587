local core = require "flexhooks.core"
local lfs = require "lfs"
local process = require "spec.support.process"

describe("core.file_ids", function()
  it("knows a file by what it is, not by its name", function()
    local folder = process.folder()
    process.write(folder .. "/a", "one")
    process.write(folder .. "/b", "one")
    local a, b = core.file_ids(folder .. "/a"), core.file_ids(folder .. "/b")
    assert.equal(16, #a)
    assert.not_equal(a, b)
    assert.equal(a .. b, core.file_ids(folder .. "/a", folder .. "/b"))
    process.write(folder .. "/a", "written anew")
    assert.equal(a, core.file_ids(folder .. "/a"))
    assert(os.rename(folder .. "/b", folder .. "/a"))
    assert.equal(b .. ("\0"):rep(16),
      core.file_ids(folder .. "/a", folder .. "/b"))
  end)

  it("takes one to four paths", function()
    assert.is_false((pcall(core.file_ids)))
    assert.is_false((pcall(core.file_ids, "a", "b", "c", "d", "e")))
    assert.is_false((pcall(core.file_ids, {})))
  end)
end)

describe("core.real_path", function()
  it("is the one name of a file, by whichever it came", function()
    local folder = process.folder()
    local real = core.real_path(folder)
    assert(lfs.mkdir(folder .. "/d"))
    assert(lfs.link("d", folder .. "/e", true))
    process.write(folder .. "/d/file", "")
    assert(lfs.link("d/file", folder .. "/f", true))
    for _, name in ipairs { "/d/file", "/e/file", "/f", "/e/../d/./file" } do
      assert.equal(real .. "/d/file", core.real_path(folder .. name))
    end
    assert.equal(real .. "/d/new", core.real_path(folder .. "/e/new"))
    assert.is_nil(core.real_path(folder .. "/none/new"))
    assert.equal(lfs.currentdir() .. "/new file", core.real_path "new file")
    assert.equal("/new file", core.real_path "/new file")
    assert.is_nil(core.real_path(("x/"):rep(10000)))
  end)
end)
