local process = require "spec.support.process"
local shared_keys = require "flexhooks.signature.shared_keys"

local A, B = "webhooks_sharedkey_a", "webhooks_sharedkey_b"
local SECRET = "hidden-secret"

local function sha256(secret)
  return { secret = secret, algorithm = "HMAC_SHA256" }
end

-- What is refused for `why`, without a word of the secret.
local function refused(why, keys, wrong)
  assert.is_nil(keys)
  assert.is_truthy(wrong:find(why, 1, true), wrong)
  assert.is_nil(wrong:find(SECRET, 1, true))
end

describe("a table of shared keys", function()
  it("has secrets, or secrets with their algorithm", function()
    assert.same({ [A] = sha256 "x",
      [B] = { secret = "\0y", algorithm = "HMAC_SHA1" } },
      shared_keys.of_table { [A] = "x",
        [B] = { secret = "\0y", algorithm = "hmac_sha1" } })
    assert.same({ [A] = sha256 "x" },
      shared_keys.of_table { [A] = { secret = "x" } })
    assert.same({}, shared_keys.of_table {})
  end)

  it("has nothing else", function()
    for why, value in pairs {
      ["got number"] = 5, ["got boolean"] = true, ["not empty"] = "",
      ["at most 4096 bytes"] = (SECRET):rep(1000),
      ["got nil"] = {},
      ["has 'algorith'"] = { secret = SECRET, algorith = "HMAC_SHA1" },
      ["HMAC_SHA256 or HMAC_SHA1"] = { secret = SECRET, algorithm = "none" },
      ["HMAC_SHA1 as"] = { secret = SECRET, algorithm = 256 },
      ["got table"] = { secret = { SECRET } },
    } do
      refused(why, shared_keys.of_table { [A] = value })
    end
    for _, name in ipairs { "", SECRET, 1, "webhooks_sharedkey_" } do
      refused("not the id of a shared key",
        shared_keys.of_table { [name] = "x" })
    end
  end)
end)

describe("the shared key of options", function()
  it("has an id, a secret and perhaps an algorithm", function()
    assert.same({}, shared_keys.of_options { url = "x" })
    assert.same({ [A] = sha256 "x" }, shared_keys.of_options {
      shared_key_id = A, shared_key = "x" })
    assert.same({ [A] = { secret = "x", algorithm = "HMAC_SHA1" } },
      shared_keys.of_options { shared_key_id = A, shared_key = "x",
        algorithm = "HMAC_SHA1" })
    refused("option 'shared_key' is missing",
      shared_keys.of_options { shared_key_id = A })
    refused("option 'shared_key_id' is missing",
      shared_keys.of_options { shared_key = SECRET })
    refused("option 'shared_key_id' is missing",
      shared_keys.of_options { shared_key = SECRET, algorithm = "x" })
    refused("option 'shared_key' is missing",
      shared_keys.of_options { algorithm = "HMAC_SHA1" })
    refused("option 'shared_key' has a name", shared_keys.of_options {
      shared_key_id = "x", shared_key = SECRET })
  end)
end)

describe("the environment's shared keys", function()
  it("are words with an id before the first =", function()
    assert.same({ [A] = sha256 "x=y=", [B] = sha256 "z" },
      shared_keys.of_text("  " .. A .. "=x=y=\n" .. B .. "=z "))
    assert.same({}, shared_keys.of_text "")
  end)

  it("are refused as a whole", function()
    refused("word 2 is not id=secret; a secret with white space needs a file",
      shared_keys.of_text(A .. "=hidden " .. SECRET))
    refused("word 1 " .. A .. " must have a secret that is not empty",
      shared_keys.of_text(A .. "="))
    refused("word 2 names " .. A .. " again",
      shared_keys.of_text(A .. "=x " .. A .. "=" .. SECRET))
    refused("word 1 does not begin with the id", shared_keys.of_text(SECRET
      .. "=" .. A))
  end)
end)

describe("a file of shared keys", function()
  local function file(bytes, mode)
    local path = process.write(process.folder() .. "/keys", bytes)
    assert.is_truthy(os.execute("chmod " .. (mode or "600") .. " " .. path))
    return path
  end

  it("has a key on each line, with any white space in the secret", function()
    assert.same({ [A] = sha256 " x y\t", [B] = sha256 "z=" },
      shared_keys.of_file(file("\239\187\191" .. A .. "= x y\t\r\n\n  \n"
        .. B .. "=z=")))
  end)

  it("is refused if others have access", function()
    for _, mode in ipairs { "640", "604", "620", "602", "610", "601", "666",
      "644" } do
      local path = file(A .. "=" .. SECRET, mode)
      refused(path .. " is open to others than its owner: chmod 600 " .. path,
        shared_keys.of_file(path))
    end
    assert.is_table(shared_keys.of_file(file(A .. "=x", "400")))
    assert.is_table(shared_keys.of_file(file(A .. "=x", "700")))
  end)

  it("is refused as a whole", function()
    refused("line 2 is not id=secret",
      shared_keys.of_file(file(A .. "=x\n" .. SECRET)))
    refused("line 2 names " .. A .. " again",
      shared_keys.of_file(file(A .. "=x\n" .. A .. "=" .. SECRET)))
    refused("holds no keys", shared_keys.of_file(file "\n"))
    refused("holds no keys", shared_keys.of_file(file ""))
    refused("larger than 64 KiB",
      shared_keys.of_file(file((SECRET):rep(6000))))
    refused("cannot be read: /nonexistent: No such file",
      shared_keys.of_file "/nonexistent")
    refused("cannot be read: /: Is a directory", shared_keys.of_file "/")
  end)
end)

describe("the shared keys of settings", function()
  local getenv, variable = os.getenv, nil

  before_each(function()
    variable = nil
    os.getenv = function(name) -- luacheck: ignore
      if name == shared_keys.VARIABLE then
        return variable
      end
      return getenv(name)
    end
  end)

  after_each(function()
    os.getenv = getenv -- luacheck: ignore
  end)

  it("are those of the table, else of the file, else of the environment",
    function()
      variable = A .. "=environment"
      local path = process.write(process.folder() .. "/keys", B .. "=file")
      os.execute("chmod 600 " .. path)
      assert.same({ [A] = sha256 "environment" }, shared_keys.find {})
      assert.same({ [B] = sha256 "file" },
        shared_keys.find { shared_keys_file = path })
      assert.same({ [A] = sha256 "table" },
        shared_keys.find { shared_keys = { [A] = "table" } })
      assert.same({}, shared_keys.find { shared_keys = {} })
      assert.equal(print, shared_keys.find { shared_keys = print })
      variable = ""
      assert.same({}, shared_keys.find {})
    end)

  it("are refused with the name of what holds them", function()
    refused("option 'shared_keys' has a name",
      shared_keys.find { shared_keys = { x = SECRET } })
    refused("option 'shared_keys_file': cannot be read",
      shared_keys.find { shared_keys_file = "/nonexistent" })
    refused("not both", shared_keys.find { shared_keys = {},
      shared_keys_file = "x" })
    variable = SECRET
    refused("FLEXHOOKS_SHARED_KEYS: word 1", shared_keys.find {})
  end)
end)
