local lint = require "spec.support.lint"

local function said(path, text)
  return lint("text", { [path] = text })
end

describe("lint.text", function()
  it("takes 79 columns and counts characters", function()
    assert.same({}, said("lua/a.lua", ("x"):rep(79) .. "\n"))
    assert.same({}, said("lua/a.lua", ("\195\188"):rep(79) .. "\n"))
  end)

  for what, row in pairs {
    ["80 columns"] = { "lua/a.lua", ("x"):rep(80) },
    ["a tab"] = { "src/a.c", "\tint a;" },
    ["blanks at the end"] = { "spec/a.lua", "local a " },
    ["TO" .. "DO"] = { "src/a.h", "/* TO" .. "DO later */" },
    ["strcpy is banned"] = { "src/a.c", "  strcpy(a, b);" },
    ["sprintf is banned"] = { "spec/c/a_test.c", "  if (sprintf (a, b)) {" },
    ["atoi is banned"] = { "src/a.h", "int f(char *s) { return atoi(s); }" },
  } do
    it("refuses " .. what, function()
      assert.same({ row[1] .. ":2: " .. what }, said(row[1], "\n" .. row[2]))
    end)
  end

  it("refuses macros that begin with a brace", function()
    local message = "a macro begins with a brace: write it in each row"
    assert.same({ "src/a.c:1: " .. message },
      said("src/a.c", "#define ROW(a, b) { a, b }\n"))
    assert.same({ "src/a.c:2: " .. message },
      said("src/a.c", "#define ROW(a, b)   \\\n  {a, b}\nint x[] = {1};\n"))
    assert.same({}, said("src/a.c", "#define ROW(a) \\\n  do {a;} while (0)\n"
      .. "#define B(x) f(x)\n{\n}\n"))
  end)

  it("refuses structs on one line", function()
    assert.same({ "src/a.c:1: a struct on one line: write each member on its "
      .. "own" }, said("src/a.c", "static struct { int a, b; } c;\n"))
    assert.same({}, said("src/a.c", "static struct {\n  int a;\n} c;\n"
      .. "struct pair p = {1, 2};\n"))
  end)

  it("lets comments, strings and longer names be", function()
    assert.same({}, said("src/a.c",
      "/* strcpy(a, b) */ x = \"atoi(s)\"; // gets(x)\nmy_strcpy(a);\n"))
  end)
end)
