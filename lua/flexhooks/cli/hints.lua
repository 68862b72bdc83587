--- What a person can do about an error.
-- @module flexhooks.cli.hints

local M = {}

local BY_STATUS = {
  [401] = "Are TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN (or the API key and "
    .. "its secret) of one account, and current? flexhooks doctor tells.",
  [403] = "The credentials are known but may not do this: a restricted API "
    .. "key needs the Flex rights, and the account a Flex instance.",
  [404] = "Is it there? flexhooks webhooks list tells. An instance that is "
    .. "not the account's (FLEX_INSTANCE_SID) is not found either.",
  [429] = "Others use the account's allowance too: wait a moment, then run it "
    .. "again.",
}

local BY_KIND = {
  connect = "Does anybody listen there, and may this machine connect to it?",
  dns = "Is the name right, and can this machine look names up?",
  tls = "The certificate must be good for this name: curl -v shows it.",
  timeout = "It may be slow or unreachable: try again, or flexhooks doctor.",
}

--- One line, or nil where there is nothing to say.
---@param err flexhooks.Error
---@return string?
function M.of(err)
  return BY_STATUS[err.status] or not err.status and BY_KIND[err.kind] or nil
end

return M
