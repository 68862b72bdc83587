local prompt = require "flexhooks.cli.prompt"
local process = require "spec.support.process"
local terminal = require "spec.support.terminal"

-- They run in processes of their own, where their names are text.
local FUNCTIONS = { prompt.line, prompt.possible, prompt.quote, prompt.secret }

-- What a function answers at a terminal where `keys` are typed, then the echo
-- setting that is left.
local function asked(name, keys)
  assert.equal(4, #FUNCTIONS)
  local program = ([[
    local ask = require "flexhooks.cli.prompt"
    local answer, err = ask.%s("Say '%%d': ")
    print("<" .. tostring(answer or err) .. ">")]]):format(name)
  local session = terminal.spawn({}, {}, { words = { "sh", "-c",
    'trap : INT; "$@"; stty -a | grep -o " -*echo "', "sh", process.lua, "-e",
    program } })
  session.child:wait_output "Say '%%d': "
  session:type(keys)
  local _, screen = session:wait()
  return screen
end

describe("cli.prompt", function()
  it("takes a line", function()
    assert.matches("Say '%%d': yes, I do\n<yes, I do>\n echo",
      (asked("line", "yes, I do\n")))
    assert.matches("<cancelled: no answer was given>", asked("line", "\n"))
  end)

  it("does not show a secret, and turns the echo on again", function()
    assert.matches("Say '%%d': \n<s3cret\\n%%s>\n echo",
      (asked("secret", "s3cret\\n%s\n")))
  end)

  it("ends at Ctrl-C, with the echo on again", function()
    for _, name in ipairs { "line", "secret" } do
      local screen = asked(name, "half a\3")
      assert.is_nil(screen:find("<half", 1, true))
      assert.matches(" echo", screen)
    end
  end)

  it("asks nobody where there is no terminal", function()
    local _, out = process.run { process.lua, "-e",
      'print(require("flexhooks.cli.prompt").possible())' }
    assert.equal("false\n", out)
  end)

  it("quotes for a shell", function()
    local _, out = process.run { "sh", "-c", "printf %s "
      .. prompt.quote "a'b \"$HOME\" `c`" }
    assert.equal("a'b \"$HOME\" `c`", out)
  end)
end)
