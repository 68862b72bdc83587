local core = require "flexhooks.core"
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
