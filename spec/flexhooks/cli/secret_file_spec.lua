local process = require "spec.support.process"
local secret_file = require "flexhooks.cli.secret_file"

-- It runs in a process of its own, where its name is text.
assert(secret_file.read)

local READ = [[
local secret, err = require("flexhooks.cli.secret_file").read("--x", arg[1])
print(secret, err and err.kind, err and err.message)]]

local program

-- What a file of these bytes and this mode gives: the line, and stderr.
local function read(bytes, mode)
  local path = process.write(process.folder() .. "/it's", bytes)
  os.execute(("chmod %s \"%s\""):format(mode or "600", path))
  local _, out, err = process.run { process.lua, program, path }
  return out:gsub("\n$", ""):gsub(path:gsub("%p", "%%%0"), "FILE"),
    (err:gsub(path:gsub("%p", "%%%0"), "FILE"))
end

describe("cli.secret_file", function()
  lazy_setup(function()
    program = process.write(process.folder() .. "/read.lua", READ)
  end)

  it("takes a word, whatever editors put around it", function()
    for _, bytes in ipairs { "t0ken", "t0ken\n", "t0ken\r\n", " t0ken \n\n",
      "\239\187\191t0ken\r\n" } do
      local out, err = read(bytes)
      assert.equal("t0ken\tnil\tnil", out)
      assert.equal("", err)
    end
  end)

  it("refuses what is no word, and shows none of it", function()
    for bytes, wanted in pairs {
      [""] = "is empty", [" \r\n"] = "is empty",
      ["two w0rds"] = "holds more than one word",
      ["one\nw0rds\n"] = "holds more than one word",
      ["w0rd\0s"] = "holds a NUL byte",
      [("w0rd"):rep(16385)] = "is larger than 64 KiB",
    } do
      local out = read(bytes)
      assert.matches("^nil\tconfig\t%-%-x: FILE " .. wanted, out)
      assert.is_nil(out:find("w0rd", 1, true))
    end
  end)

  it("says what cannot be read", function()
    for path, why in pairs { ["/nonexistent"] = "No such file",
      ["/"] = "Is a directory" } do
      local _, out = process.run { process.lua, program, path }
      assert.matches("^nil\tconfig\tcannot read %-%-x: .*" .. why, out)
    end
  end)

  it("warns where others can read it", function()
    for mode, warned in pairs { ["600"] = false, ["400"] = false,
      ["640"] = true, ["604"] = true, ["644"] = true, ["620"] = false } do
      local out, err = read("t0ken", mode)
      assert.equal("t0ken\tnil\tnil", out)
      assert.equal(warned and "flexhooks: warning: others can read FILE: "
        .. "chmod 600 FILE\n" or "", err, mode)
    end
  end)

  it("reads a pipe", function()
    local status, out, err = process.run { "bash", "-c",
      '"$1" "$2" <(printf piped)', "bash", process.lua, program }
    assert.equal(0, status)
    assert.equal("piped\tnil\tnil\n", out)
    assert.equal("", err)
  end)
end)
