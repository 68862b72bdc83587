local lint = require "spec.support.lint"

describe("lint.tested", function()
  it("takes files with their specs", function()
    assert.same({}, lint("tested", {
      ["src/util_form.c"] = "", ["spec/c/util_form_test.c"] = "",
      ["src/lua_util_form.c"] = "", ["spec/core/util_form_spec.lua"] = "",
      ["lua/flexhooks/a.lua"] = "function M.go()\nend\n",
      ["spec/flexhooks/a_spec.lua"] = "a.go()",
      ["tools/b.lua"] = "", ["spec/tools/b_spec.lua"] = "",
      ["bench/c.lua"] = "",
    }))
  end)

  it("misses a spec", function()
    assert.same({
      "lua/flexhooks/a.lua:1: no spec/flexhooks/a_spec.lua",
      "src/lua_util_form.c:1: no spec/core/util_form_spec.lua",
      "src/util_form.c:1: no spec/c/util_form_test.c",
    }, lint("tested", { ["src/util_form.c"] = "", ["src/lua_util_form.c"] = "",
      ["lua/flexhooks/a.lua"] = "" }))
  end)

  it("misses a function and a name of the face in the specs", function()
    assert.same({
      "lua/flexhooks.lua:2: flexhooks.run is used in no spec",
      "lua/flexhooks/runtime/loop.lua:3: go is used in no spec",
    }, lint("tested", {
      ["lua/flexhooks.lua"] = '\n  run = { "flexhooks.runtime.loop" },\n',
      ["spec/flexhooks_spec.lua"] = "-- flexhooks.run\n",
      ["lua/flexhooks/runtime/loop.lua"] = "--- Does.\n-- It.\n"
        .. "function M:go()\nend\n-- For us.\nfunction M:stay()\nend\n",
      ["spec/flexhooks/runtime/loop_spec.lua"] = "local a = 'a.go_on' -- a.go",
      ["lua/flexhooks/inner.lua"] = "--- For us.\nfunction M:stay()\nend\n",
      ["spec/flexhooks/inner_spec.lua"] = "",
    }))
  end)
end)
