-- Keys and verifiers: a forged delivery is never taken for a right one.
local core = require "flexhooks.core"

local URL = "https://example.com/events"

return function()
  local key = core.key("token", "HMAC_SHA256")
  local fields = { EventType = "onChannelCreated", AccountSid = "AC1" }
  local signature, url = key:sign(URL, fields)
  assert(url == URL, "wrong: the URL changed")
  local body = core.encode_form {
    { "EventType", "onChannelCreated" }, { "AccountSid", "AC1" },
  }
  local verifier = core.verifier { url = URL }
  local event = verifier:form(key, signature, nil, body, "token")
  local other = core.key("other", "HMAC_SHA256")
  local forged = verifier:form(other, signature, nil, body, "token")
  assert(not forged, "wrong: a forged delivery was accepted")
  local validator = core.validator()
  local valid = validator:form(URL, "token", "HMAC_SHA256", signature, body)
  local same = validator:params(URL, "token", "HMAC_SHA256", signature, fields)
  assert(not validator:form(URL, "other", "HMAC_SHA256", signature, body),
    "wrong: a forged delivery was found valid")
  validator:close()
  if event then
    assert(event.EventType == "onChannelCreated", "wrong: another event")
    assert(event.AccountSid == "AC1", "wrong: another account")
  end
  local unreadable = core.json_check('{"a":[1,2,{"b":"c"}}', 8, 127)
  assert(not unreadable, "wrong: broken JSON was accepted")
  return event and valid and same
    and core.json_check('{"a":[1,2,{"b":"c"}]}', 8, 127)
end
