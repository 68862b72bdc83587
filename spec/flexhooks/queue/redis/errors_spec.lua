local redis_errors = require "flexhooks.queue.redis.errors"

describe("an error of Redis", function()
  it("has the first word of the answer for its reason", function()
    for answer, expected in pairs {
      ["OOM command not allowed when used memory > 'maxmemory'."] = "oom",
      ["READONLY You can't write against a read only replica."] = "readonly",
      ["NOSCRIPT No matching script."] = "noscript",
      ["something else"] = "error",
      [""] = "error",
    } do
      local err = redis_errors.of_answer("redis://h", answer)
      assert.same({ "queue", expected, 5 },
        { err.kind, err.reason, err.retry_after })
      assert.matches("redis://h: Redis answered: " .. answer, err.message, 1,
        true)
    end
  end)

  it("is one of authentication where Redis lets nobody in", function()
    for _, answer in ipairs { "NOAUTH Authentication required.",
      "WRONGPASS invalid username-password pair or user is disabled.",
      "NOPERM this user has no permissions to run the 'xadd' command",
      "ERR AUTH <password> called without any password configured",
      "ERR invalid password" } do
      assert.equal("auth", redis_errors.of_answer("r", answer).kind)
    end
  end)

  it("tells a server that has been replaced", function()
    assert.is_true(redis_errors.is_demoted(redis_errors.of_answer("r",
      "READONLY You can't write against a read only replica.")))
    assert.is_false(redis_errors.is_demoted(redis_errors.of_answer("r",
      "LOADING Redis is loading the dataset in memory")))
  end)

  it("passes where the server is down or starts, not where it is unfit",
    function()
      for _, answer in ipairs { "LOADING Redis is loading the dataset",
        "OOM no memory", "NOREPLICAS Not enough good replicas to write.",
        "MASTERDOWN Link with MASTER is down" } do
        assert.is_true(redis_errors.passes(
          redis_errors.of_answer("r", answer)))
      end
      assert.is_true(redis_errors.passes(
        redis_errors.new("r", "no", "connect")))
      for _, answer in ipairs { "NOAUTH Authentication required.",
        "ERR DB index is out of range" } do
        assert.is_false(redis_errors.passes(
          redis_errors.of_answer("r", answer)))
      end
      assert.is_false(redis_errors.passes(
        redis_errors.new("r", "no", "unfit")))
    end)

  it("does not say where in a script it happened", function()
    local err = redis_errors.of_answer("r",
      "OOM no memory. script: 5b59bda9465b, on @user_script:31.")
    assert.equal("r: Redis answered: OOM no memory.", err.message)
  end)

  it("shows a long answer in part", function()
    local err = redis_errors.of_answer("r", "ERR " .. ("x"):rep(10000))
    assert.is_true(#err.message < 250)
  end)
end)
