local core = require "flexhooks.core"
local process = require "spec.support.process"
local reference = require "spec.support.reference"

local TOKEN = "0123456789abcdef0123456789abcdef"
local URL = "https://h.example/flex/events"

local key = core.key(TOKEN)

-- A compiled trace may hold what it once used, and with it this key.
teardown(function()
  key:close()
end)

local function signed(text)
  return reference.base64(reference.hmac(TOKEN, text))
end

describe("a key", function()
  it("does not take an empty token, or one that is no string", function()
    for _, token in ipairs { "", 12345, {}, true } do
      assert.has_error(function() core.key(token) end)
    end
    assert.has_error(function() core.key() end)
  end)

  it("takes secrets of any length and any bytes", function()
    for _, algorithm in ipairs { "HMAC_SHA1", "HMAC_SHA256" } do
      for _, size in ipairs { 1, 63, 64, 65, 1000, 10240 } do
        local secret = ("\0\255\n:%"):rep(size):sub(1, size)
        local signature = core.key(secret, algorithm):sign(URL, { a = "1" })
        assert.equal(reference.signature(secret, URL, { { "a", "1" } },
          algorithm), signature)
      end
    end
  end)

  it("is for HMAC-SHA1 unless told otherwise, and takes no other name",
    function()
      assert.equal((core.key(TOKEN, "HMAC_SHA1"):sign(URL)),
        (key:sign(URL)))
      assert.equal(44, #core.key(TOKEN, "HMAC_SHA256"):sign(URL))
      for _, name in ipairs { "", "HMAC_SHA512", "hmac_sha256", "SHA256",
        1, {} } do
        assert.has_error(function() core.key(TOKEN, name) end)
      end
    end)

  it("shows nothing of its token", function()
    assert.is_nil(tostring(key):find(TOKEN, 1, true))
    assert.is_false(getmetatable(key))
  end)

  it("cannot be used once it is closed", function()
    local closed = core.key "x"
    closed:close()
    closed:close()
    assert.has_error(function() closed:sign(URL) end)
  end)

  it("signs parameters, each distinct value once", function()
    local signature, url = key:sign("https://u:p@h:1/x?y='#z",
      { b = { "2", "1", "2" }, a = "", c = {} })
    assert.equal("https://h:1/x?y='", url)
    assert.equal(signed(url .. "ab1b2"), signature)
    assert.equal(signed(URL), (key:sign(URL)))
    assert.equal(signed(URL), (key:sign(URL, {})))
  end)

  it("says what is wrong with a URL", function()
    local signature, kind, message = key:sign "ftp://h/"
    assert.is_nil(signature)
    assert.equal("config", kind)
    assert.matches("https://", message)
  end)

  it("raises for parameters that are no strings", function()
    for _, params in ipairs { { "x" }, { a = 1 }, { a = true },
      { a = { 1 } }, { a = { "x", {} } }, "a=1", 1 } do
      assert.has_error(function() key:sign(URL, params) end)
    end
    assert.has_error(function() key:sign(1) end)
  end)
end)

describe("core.sha256, core.hex and core.random", function()
  it("hash", function()
    assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20"
      .. "015ad", core.sha256 "abc")
    assert.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b785"
      .. "2b855", core.sha256 "")
    assert.equal(core.sha256 "abc", core.sha256 "abc")
    assert.has_error(function() core.sha256(1) end)
  end)

  it("give two digits for each byte", function()
    assert.equal("", core.hex "")
    assert.equal("00097f80ff61", core.hex "\0\9\127\128\255a")
    assert.has_error(function() core.hex(1) end)
  end)

  it("give bytes that differ every time", function()
    assert.equal(1, #core.random(1))
    assert.equal(4096, #core.random(4096))
    assert.not_equal(core.random(16), core.random(16))
    for _, size in ipairs { 0, 4097, -1, 0 / 0, "x" } do
      assert.has_error(function() core.random(size) end)
    end
  end)
end)

-- What is measured by bench/timing.sh is as good as this.
describe("signatures", function()
  it("are compared by libcrypto, in constant time", function()
    local path = assert(package.searchpath("flexhooks.core", package.cpath))
    assert.matches("\0CRYPTO_memcmp\0", process.read(path), 1, true)
  end)
end)
