-- The least that a handler in Lua can do of what ours does: how near to the
-- location that answers 204 any could come. Nothing is routed here, counted or
-- guarded, and what never changes is made once.
local core = require "flexhooks.core"

local M = {}

local SIGNATURE = "http_x_twilio_signature"
local TOKEN = "http_i_twilio_idempotency_token"

local key = core.key "12345"
local claims = ngx.shared.floor
local verifiers = {}

local function answer_ok()
  ngx.header["content-type"] = "application/json"
  ngx.header["content-length"] = "2"
  ngx.print "{}"
end

-- The hash that re-deliveries share; raises where the signature is wrong.
local function verify()
  local target = ngx.var.request_uri
  local verifier = verifiers[target]
  if not verifier then
    verifier = core.verifier { url = "https://h.example" .. target }
    verifiers[target] = verifier
  end
  local event, id = verifier:form(key, ngx.var[SIGNATURE], nil,
    ngx.req.get_body_data(), ngx.var[TOKEN])
  assert(event, id)
  return id
end

function M.ok()
  ngx.req.read_body()
  answer_ok()
end

function M.verified()
  ngx.req.read_body()
  verify()
  answer_ok()
end

function M.added()
  ngx.req.read_body()
  claims:add(ngx.var[TOKEN], 1, 86400)
  ngx.status = 204
end

function M.verified_and_added()
  ngx.req.read_body()
  claims:add(verify(), 1, 86400)
  answer_ok()
end

return M
