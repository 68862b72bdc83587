-- Builds requests byte by byte, signed or mis-signed, for rows of bad input.
local core = require "flexhooks.core"
local sids = require "spec.data.sids"

local M = {
  token = "a-token-of-ours",
  url = "https://h.example/flex/events",
  target = "/flex/events",
  form_type = "application/x-www-form-urlencoded; charset=UTF-8",
}

--- The fields of a good event.
function M.fields(changes)
  local fields = {
    EventType = "onParticipantJoined", AccountSid = sids.account,
    InteractionSid = sids.interaction, ChannelSid = sids.channel,
    ParticipantSid = sids.participant, ParticipantType = "agent",
    TaskSid = sids.task, MediaChannelSid = sids.conversation,
    MediaChannelType = "web",
  }
  for name, value in pairs(changes or {}) do
    fields[name] = value or nil
  end
  return fields
end

--- name -> value or list, as a form; names in order.
function M.encode(fields)
  local names, list = {}, {}
  for name in pairs(fields) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local values = fields[name]
    for _, value in ipairs(type(values) == "table" and values or { values }) do
      list[#list + 1] = { name, value }
    end
  end
  return core.encode_form(list)
end

--- A shared key as `shared` of a delivery takes it.
M.shared = { id = "webhooks_sharedkey_01k2h7", secret = "a shared secret",
  algorithm = "HMAC_SHA256" }

--- The signature by a token, or by a shared key.
function M.sign(url, params, token, shared)
  local key = shared and core.key(shared.secret, shared.algorithm)
    or core.key(token or M.token)
  return (key:sign(url, params))
end

local function settings_of(shared)
  return shared and "key=" .. shared.id .. ",algorithm=" .. shared.algorithm
end

local function headers(o, signature)
  local h = {
    ["X-Twilio-Signature"] = signature or nil,
    ["X-Twilio-Webhooks-Signature-Settings"] = settings_of(o.shared),
    ["Content-Type"] = o.content_type == nil and M.form_type
      or o.content_type or nil,
    ["I-Twilio-Idempotency-Token"] = o.idempotency_token,
  }
  for name, value in pairs(o.headers or {}) do
    h[name] = value or nil
  end
  return h
end

local function target_of(o)
  if o.target then
    return o.target
  end
  return (o.url or M.url):gsub("#.*$", ""):gsub("^%a+://[^/?]*", "")
end

--- A POST of a form: `fields` are signed and sent, unless `signed` (fields) or
-- `signature` say otherwise; `body` replaces the bytes. `url` is signed and,
-- if `target` does not say otherwise, requested. `shared` is a shared key that
-- signs in place of the token.
function M.post(o)
  o = o or {}
  local fields = o.fields or M.fields()
  local signature = o.signature
  if signature == nil then
    signature = M.sign(o.url or M.url, o.signed or fields, o.token, o.shared)
  end
  return {
    method = o.method or "POST", target = target_of(o),
    body = o.body or M.encode(fields),
    headers = headers(o, signature),
  }
end

--- A GET: the fields are in the query, which is signed.
function M.get(o)
  o = o or {}
  local url = o.url or M.url
  url = url .. (url:find("?", 1, true) and "&" or "?")
    .. (o.query or M.encode(o.fields or M.fields()))
  local signature = o.signature
  if signature == nil then
    signature = M.sign(o.signed_url or url, nil, o.token, o.shared)
  end
  return {
    method = "GET", target = o.target or target_of { url = url },
    body = o.body or "",
    headers = headers({ content_type = false, headers = o.headers,
      shared = o.shared }, signature),
  }
end

--- A POST of JSON bytes, with its hash in the query unless `query` is given.
function M.json(body, o)
  o = o or {}
  local url = (o.url or M.url) .. "?"
    .. (o.query or "bodySHA256=" .. core.sha256(body))
  local signature = o.signature
  if signature == nil then
    signature = M.sign(url, nil, o.token, o.shared)
  end
  return {
    method = "POST", target = target_of { url = url }, body = o.sent or body,
    headers = headers({
      content_type = o.content_type or "application/json",
      headers = o.headers, idempotency_token = o.idempotency_token,
      shared = o.shared,
    }, signature),
  }
end

return M
