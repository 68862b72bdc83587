local faults = require "flexhooks.simulator.faults"
local deliverers = require "flexhooks.simulator.deliverer"
local errors = require "flexhooks.error"
local flexhooks = require "flexhooks"
local ids = require "flexhooks.simulator.ids"
local random = require "flexhooks.simulator.random"
local signature = require "flexhooks.signature"

local ACCOUNT = { sid = "AC1", token = "token" }

-- A courier on a transport that records, and answers as `answer` does.
local function new(chances, answer, shared_key)
  local sent, noted = {}, {}
  local carrier = deliverers.new {
    transport = {
      send = function(_, request)
        sent[#sent + 1] = request
        flexhooks.sleep(0)
        return answer(request, #sent)
      end,
    },
    chaos = faults.new(1, chances or {}, 0.01),
    ids = ids.new(random.new(1), os.time),
    journal = {
      delivered = function(_, entry)
        noted[#noted + 1] = entry
      end,
    },
    speed = 1000,
    shared_key = shared_key,
    spawn = flexhooks.spawn,
  }
  return carrier, sent, noted
end

local function ok()
  return { status = 200, headers = {}, body = "" }
end

local function take(carrier, number, interaction, url)
  carrier:take {
    account = ACCOUNT,
    webhook = { ttid = "w", type = "global", webhook_method = "GET",
      webhook_url = url or "http://h/" },
    event = { EventType = "e" .. number,
      InteractionSid = interaction or "KD1" },
    number = number,
    key = tostring(number),
  }
end

local function settle(carrier)
  while not carrier:idle() do
    flexhooks.sleep(0.001)
  end
end

-- Numbers of the events as they were sent.
local function order(sent)
  local numbers = {}
  for i, request in ipairs(sent) do
    numbers[i] = request.url:match "EventType=e(%d+)"
  end
  return table.concat(numbers, " ")
end

describe("simulator.deliverer", function()
  it("signs with a shared key if there is one, wrongly if it is told to",
    function()
      local key = { id = "webhooks_sharedkey_1", secret = "secret",
        algorithm = "HMAC_SHA256" }
      for missign = 0, 1 do
        flexhooks.run(function()
          local carrier, sent = new({ missign = missign }, ok, key)
          take(carrier, 1)
          settle(carrier)
          local headers = sent[1].headers
          assert.equal(missign == 0 or nil, (signature.validate {
            shared_keys = { [key.id] = key.secret }, method = "GET",
            url = sent[1].url, signature = headers["X-Twilio-Signature"],
            signature_settings =
              headers["X-Twilio-Webhooks-Signature-Settings"] }))
        end)
      end
    end)

  it("sends an interaction's events one after another", function()
    flexhooks.run(function()
      local carrier, sent, noted = new(nil, ok)
      for i = 1, 5 do
        take(carrier, i)
      end
      assert.is_false(carrier:idle())
      settle(carrier)
      assert.equal("1 2 3 4 5", order(sent))
      assert.same({ account_sid = "AC1", number = 1, interaction_sid = "KD1",
        event_type = "e1", ttid = "w", type = "global", status = 200,
        attempts = 1, idempotency_token = noted[1].idempotency_token },
        noted[1])
    end)
  end)

  it("does not let one interaction wait for another", function()
    flexhooks.run(function()
      local release = false
      local carrier, sent = new(nil, function(request)
        while request.url:find "KD1" and not release do
          flexhooks.sleep(0.001)
        end
        return ok()
      end)
      take(carrier, 1, "KD1")
      take(carrier, 2, "KD1")
      take(carrier, 3, "KD2")
      take(carrier, 4, "KD2")
      while #sent < 3 do
        flexhooks.sleep(0.001)
      end
      flexhooks.sleep(0.05)
      assert.equal("1 3 4", order(sent))
      release = true
      settle(carrier)
      assert.equal("1 3 4 2", order(sent))
    end)
  end)

  it("drops", function()
    flexhooks.run(function()
      local carrier, sent, noted = new({ drop = 1 }, ok)
      take(carrier, 1)
      settle(carrier)
      assert.same({}, sent)
      assert.equal("dropped", noted[1].error)
      assert.same({ drop = true }, noted[1].trouble)
    end)
  end)

  it("duplicates, with the same token", function()
    flexhooks.run(function()
      local carrier, sent = new({ duplicate = 1 }, ok)
      take(carrier, 1)
      settle(carrier)
      assert.equal("1 1", order(sent))
      local name = "I-Twilio-Idempotency-Token"
      assert.equal(sent[1].headers[name], sent[2].headers[name])
    end)
  end)

  it("signs wrongly", function()
    flexhooks.run(function()
      local carrier, sent = new({ missign = 1 }, ok)
      local honest, right = new(nil, ok)
      take(carrier, 1)
      take(honest, 1)
      settle(carrier)
      settle(honest)
      assert.equal(right[1].url, sent[1].url)
      assert.not_equal(right[1].headers["X-Twilio-Signature"],
        sent[1].headers["X-Twilio-Signature"])
    end)
  end)

  it("lets the next one pass, or goes when none comes", function()
    flexhooks.run(function()
      local carrier, sent = new({ reorder = 1 }, ok)
      for i = 1, 3 do
        take(carrier, i)
      end
      settle(carrier)
      assert.equal("2 1 3", order(sent))
    end)
  end)

  it("delays, and is not idle meanwhile", function()
    flexhooks.run(function()
      local carrier, sent = new({ delay = 1 }, ok)
      take(carrier, 1)
      flexhooks.sleep(0)
      assert.is_false(carrier:idle())
      settle(carrier)
      assert.equal("1", order(sent))
    end)
  end)

  it("tries again as the webhook's URL says", function()
    flexhooks.run(function()
      local carrier, sent, noted = new(nil, function(_, attempt)
        if attempt == 1 then
          return nil, errors.new("connect", "refused")
        end
        return { status = attempt == 2 and 503 or 200 }
      end)
      take(carrier, 1, "KD1", "http://h/#rc=4&rp=all")
      settle(carrier)
      assert.equal(3, #sent)
      assert.equal(200, noted[1].status)
      assert.equal(3, noted[1].attempts)
    end)
  end)

  it("forgets what waits when it is closed", function()
    flexhooks.run(function()
      local carrier, sent = new(nil, ok)
      for i = 1, 3 do
        take(carrier, i)
      end
      carrier:close()
      settle(carrier)
      assert.is_true(#sent <= 1)
    end)
  end)
end)
