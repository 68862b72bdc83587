local log = require "flexhooks.log"
local errors = require "flexhooks.error"
local json = require "flexhooks.json"

local function recorder(fail)
  local out = { lines = {}, fail = fail }
  function out:write(line)
    if self.fail then
      return nil, "No space left on device"
    end
    self.lines[#self.lines + 1] = line
    return self
  end
  return out
end

describe("log.escape", function()
  local ROWS = {
    { "plain text, 日本 é", "plain text, 日本 é" },
    { "\27]0;x\7", "\\x1b]0;x\\x07" },
    { "\155", "\\x9b" },
    { "\194\155", "\\xc2\\x9b" },
    { "a\226\128\174b", "a\\xe2\\x80\\xaeb" },
    { "a\226\128\168b", "a\\xe2\\x80\\xa8b" },
    { "a\0b\r\n\t\127", "a\\x00b\\x0d\\x0a\\x09\\x7f" },
    { "\237\160\128", "\\xed\\xa0\\x80" },
    { "\192\175", "\\xc0\\xaf" },
    { "\240\159\152", "\\xf0\\x9f\\x98" },
    { "\240\159\152\128", "\240\159\152\128" },
    { "%n%s%z%1", "%n%s%z%1" },
  }
  for i, row in ipairs(ROWS) do
    it("leaves nothing that acts on a terminal, row " .. i, function()
      assert.equal(row[2], log.escape(row[1]))
    end)
  end

  it("takes any value", function()
    assert.equal("nil", log.escape(nil))
    assert.equal("12", log.escape(12))
  end)
end)

it("log.utf8 leaves nothing that is no UTF-8", function()
  assert.equal("a\239\191\189é\239\191\189", log.utf8 "a\255é\195")
end)

describe("log.cut", function()
  it("splits no character", function()
    assert.equal("abc", log.cut("abc", 3))
    assert.equal("ab... (1 bytes more)", log.cut("abc", 2))
    assert.equal("é... (2 bytes more)", log.cut("éé", 3))
    assert.equal("日... (3 bytes more)", log.cut("日本", 5))
    assert.equal("x... (4 bytes more)", log.cut("x\240\159\152\128", 4))
    assert.equal("\128... (7 bytes more)", log.cut(("\128"):rep(8), 4))
  end)
end)

it("log.line takes narrower limits", function()
  local limits = { value = 8, line = 80 }
  assert.equal("message a=12 b=12345678", log.line("message", { a = 12,
    b = "12345678" }, limits))
  assert.equal('m b="bbbbbbbb... (2 bytes more)"', log.line("m",
    { b = ("b"):rep(10) }, limits))
  assert.equal("m b=2 fields_cut=1", log.line("m",
    { a = ("a"):rep(40), b = 2 }, { value = 100, line = 60 }))
end)

describe("log.wrap", function()
  it("is silent without a logger", function()
    assert.has_no.errors(function()
      log.wrap(nil)("info", "x", {})
    end)
  end)

  it("passes everything on", function()
    local seen
    log.wrap(function(...)
      seen = { ... }
    end)("warn", "message", { a = 1 })
    assert.same({ "warn", "message", { a = 1 } }, seen)
  end)

  it("survives a logger that raises", function()
    assert.has_no.errors(function()
      log.wrap(function()
        error "broken"
      end)("info", "x")
    end)
  end)
end)

describe("log.stderr", function()
  it("writes one line with the fields in order", function()
    local out = recorder()
    log.stderr { output = out }("info", "event handled",
      { type = "onChannelCreated", seconds = 0.5 })
    assert.equal(1, #out.lines)
    assert.matches('^time=%d+-%d+-%d+T%d+:%d+:%d+Z level=info '
      .. 'message="event handled" seconds=0.5 type=onChannelCreated\n$',
      out.lines[1])
  end)

  it("keeps one message one line, whatever is in it", function()
    local out = recorder()
    log.stderr { output = out }("error", "a\nlevel=info",
      { ["n m\n"] = 'x"\ny', b = "" })
    assert.equal(1, select(2, out.lines[1]:gsub("\n", "")))
    assert.matches('b="" n_m_="x\\"\\x0ay"\n$', out.lines[1])
  end)

  it("lets no backslash end a value early", function()
    local out = recorder()
    log.stderr { output = out }("info", "m",
      { a = [[x \" level=error]], b = [[x \]], c = [[x\]], d = [["\\"]] })
    assert.matches([[a="x \\\" level=error" b="x \\" c=x\ d="\"\\\\\""]],
      out.lines[1], 1, true)
  end)

  for _, format in ipairs { "logfmt", "json" } do
    it("caps values and lines, and marks what is cut: " .. format, function()
      local out = recorder()
      local logger = log.stderr { output = out, format = format }
      logger("info", ("m"):rep(2 ^ 20), { a = ("a"):rep(2 ^ 20), b = 1,
        [("n"):rep(2 ^ 20)] = 2 })
      for _, letter in ipairs { "m", "a" } do
        assert.matches('"' .. letter:rep(4096) .. '... (1044480 bytes more)"',
          out.lines[1], 1, true)
      end
      assert.matches("[^n]" .. ("n"):rep(64) .. "[%w_.-]*1048512_bytes_more_"
        .. '"?[=:]2', out.lines[1])
      assert.matches('b"?[=:]1', out.lines[1])
      assert.not_matches("fields_cut", out.lines[1], 1, true)

      local fields = { z = "short" }
      for n = 1, 1000 do
        fields["f" .. n] = ('"'):rep(1000)
      end
      logger("info", ('\1"\\'):rep(2 ^ 18), fields)
      assert.is_true(#out.lines[2] <= 16384, #out.lines[2])
      assert.matches('z"?[=:]"?short"?[, ]"?fields_cut"?[=:]99%d}?\n$',
        out.lines[2])
      if format == "json" then
        for _, line in ipairs(out.lines) do
          assert.is_table(json.decode(line))
        end
      end
    end)
  end

  it("writes JSON that stays JSON", function()
    local out = recorder()
    log.stderr { output = out, format = "json" }("warn", 'a "b" \\ \1',
      { n = 2, large = 1e15, none = 0 / 0, yes = true })
    assert.matches('"level":"warn","message":"a \\"b\\" \\\\ \\\\x01",'
      .. '"large":1000000000000000,"n":2,"none":"%-?nan","yes":true}\n$',
      out.lines[1])
  end)

  it("leaves out what is below its level", function()
    local out = recorder()
    local logger = log.stderr { output = out, level = "warn" }
    logger("debug", "a")
    logger("info", "b")
    logger("warn", "c")
    logger("error", "d")
    assert.equal(2, #out.lines)
  end)

  it("drops lines that cannot be written and says how many", function()
    local out = recorder(true)
    local logger = log.stderr { output = out }
    logger("info", "one")
    logger("info", "two")
    out.fail = false
    logger("info", "three")
    assert.equal(2, #out.lines)
    assert.matches("count=2\n$", out.lines[1])
    assert.matches("message=three\n$", out.lines[2])
  end)

  it("refuses an unknown option by its name", function()
    local ok, err = pcall(log.stderr, { levle = "info" })
    assert.is_false(ok)
    assert.matches("levle.*did you mean 'level'", tostring(err))
  end)
end)

describe("log.fields", function()
  it("takes what is fit for a log", function()
    assert.same({ kind = "http", error = "refused", status = 400 },
      log.fields(errors.new("http", "refused",
        { status = 400, details = { secret = 1 } })))
    assert.same({ error = "boom" }, log.fields("boom"))
  end)
end)
