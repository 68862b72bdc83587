package.path = "tools/?.lua;" .. package.path
local bench = require "bench"
local process = require "spec.support.process"

describe("bench", function()
  it("gives medians, ranges and ratios to the first variant", function()
    local results = {}
    for _, run in ipairs {
      "a\tours\t10\tops/s\na\tbare\t20\tops/s\n# once\n",
      "a\tours\t30\tops/s\nnoise\na\tbare\t20\tops/s\n",
      "# once\na\tours\t20\tops/s\n" .. "a\tbare\t50.5\tops/s\n",
    } do
      bench.collect(results, run)
    end
    local text = (bench.table(results):gsub(" +", " "))
    assert.matches("| a | ours | 20 | 10 – 30 | ops/s | 1.00 |", text, 1, true)
    assert.matches("| a | bare | 20 | 20 – 50.5 | ops/s |", text, 1, true)
    assert.equal(1, select(2, text:gsub("# once", "")))
  end)

  it("runs scripts in rounds, and fails where one fails", function()
    local dir = process.folder()
    local script = process.write(dir .. "/a.sh",
      "echo x >>" .. dir .. "/runs; printf 'a\\tours\\t1000\\tops/s\\n'")
    local command = { process.lua, "tools/bench.lua", "3", "sh " .. script }
    local status, out = process.run(command)
    assert.equal(0, status)
    assert.matches("| 1000 ", out, 1, true)
    assert.equal("x\nx\nx\n", process.read(dir .. "/runs"))
    process.write(script, "exit 3")
    assert.equal(1, (process.run(command)))
  end)
end)
