--- What nginx's sockets say of an error, as its kind and a message that names
-- what to configure.
-- @module flexhooks.runtime.nginx.socket_errors

local M = {}

local NAMING = {
  { "no resolver defined", "config", "nginx.conf needs a resolver to look up "
    .. "host names, in http{}: resolver 127.0.0.53;" },
  { "could not be resolved %(110", "timeout" },
  { "could not be resolved", "dns" },
  { "timeout", "timeout" },
  { "timed out", "timeout" },
}

local TRUST = "name the authorities to trust in http{}: "
  .. "lua_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt; "
  .. "lua_ssl_verify_depth 4;"

local HINTS = {
  { "unable to get", TRUST },
  { "self.signed", TRUST },
  { "chain too long", TRUST },
  { "expired", "is this machine's clock right?" },
  { "not yet valid", "is this machine's clock right?" },
}

local function text(err)
  return tostring(err or "it failed without a word")
end

--- Of looking a name up and connecting.
---@param err string?
---@return string kind
---@return string message
function M.connecting(err)
  local said = text(err)
  for _, row in ipairs(NAMING) do
    if said:find(row[1]) then
      return row[2], row[3] and said .. ": " .. row[3] or said
    end
  end
  return "connect", said
end

--- Of a TLS handshake.
---@param err string?
---@return string kind
---@return string message
function M.handshake(err)
  local said = text(err)
  if said:find "^timeout" then
    return "timeout", "the TLS handshake took too long"
  end
  for _, row in ipairs(HINTS) do
    if said:find(row[1]) then
      return "tls", said .. " (" .. row[2] .. ")"
    end
  end
  return "tls", said
end

local function moving(err, what)
  local said = text(err)
  if said == "timeout" then
    return "timeout", "the connection stalled while " .. what
  end
  return "reset", said
end

--- Of sending.
---@param err string?
---@return string kind
---@return string message
function M.sending(err)
  return moving(err, "the request was sent")
end

--- Of reading.
---@param err string?
---@return string kind
---@return string message
function M.receiving(err)
  return moving(err, "the answer was read")
end

return M
