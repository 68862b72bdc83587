local core = require "flexhooks.core"
local lfs = require "lfs"
local process = require "spec.support.process"

describe("core.file_ids", function()
  it("knows a file by what it is, not by its name", function()
    local folder = process.folder()
    process.write(folder .. "/a", "one")
    process.write(folder .. "/b", "one")
    local a = core.file_ids(folder .. "/a")
    local b = core.file_ids(folder .. "/b")
    assert.equal(16, #a)
    assert.not_equal(a, b)
    assert.equal(a .. b, (core.file_ids(folder .. "/a", folder .. "/b")))
    process.write(folder .. "/a", "written anew")
    assert.equal(a, (core.file_ids(folder .. "/a")))
    assert(os.rename(folder .. "/b", folder .. "/a"))
    assert.equal(b .. ("\0"):rep(16),
      (core.file_ids(folder .. "/a", folder .. "/b")))
  end)

  it("returns each file's size too", function()
    local folder = process.folder()
    process.write(folder .. "/a", "one")
    process.write(folder .. "/b", "")
    assert.same({ 3, 0, 0 }, { select(2, core.file_ids(folder .. "/a",
      folder .. "/b", folder .. "/c")) })
  end)

  it("takes one to four paths", function()
    assert.is_false((pcall(core.file_ids)))
    assert.is_false((pcall(core.file_ids, "a", "b", "c", "d", "e")))
    assert.is_false((pcall(core.file_ids, {})))
  end)
end)

describe("core.file_links", function()
  it("returns how many names a file has", function()
    local path = process.folder() .. "/a"
    assert.equal(0, core.file_links(path))
    process.write(path, "")
    assert.equal(1, core.file_links(path))
    assert(lfs.link(path, path .. "2"))
    assert.equal(2, core.file_links(path))
    assert(lfs.link(path, path .. "3", true))
    assert.equal(2, core.file_links(path .. "3"))
    assert.is_false((pcall(core.file_links)))
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

describe("core.read_file", function()
  it("gives the bytes, at most so many, and the mode", function()
    local path = process.write(process.folder() .. "/file", "a\0b\n")
    os.execute("chmod 640 " .. path)
    assert.same({ "a\0b\n", 416 }, { core.read_file(path, 100) })
    assert.same({ "a\0", 416 }, { core.read_file(path, 2) })
    assert.equal("", (core.read_file("/dev/null", 1)))
  end)

  it("says what cannot be read", function()
    assert.same({ nil, "/nonexistent: No such file or directory" },
      { core.read_file("/nonexistent", 1) })
    assert.same({ nil, "/: Is a directory" }, { core.read_file("/", 1) })
  end)

  it("wants a path, and a size up to a MiB", function()
    for _, size in ipairs { 0, -1, 2 ^ 20 + 1, 0 / 0, "x", {} } do
      assert.is_false((pcall(core.read_file, "/dev/null", size)))
    end
    assert.is_false((pcall(core.read_file)))
    assert.is_false((pcall(core.read_file, "/dev/null")))
    assert.is_false((pcall(core.read_file, {}, 1)))
  end)
end)
