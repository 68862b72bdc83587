--- Addresses to listen on, as people write them.
-- @module flexhooks.server.address

local M = {}

--- Takes "host:port", "[::1]:port", ":port" or "port" apart.
---@param text string
---@return string? host the loopback address where none is named
---@return integer|string port the port, or what is wrong
function M.parse(text)
  local host, port = text:match "^%[([%x:.%%]+)%]:(%d+)$"
  if not host then
    host, port = text:match "^([^%s:%[%]]*):(%d+)$"
  end
  if not host then
    host, port = "", text:match "^(%d+)$"
  end
  port = tonumber(port)
  if not port or port > 65535 then
    return nil, "must be host:port, such as 127.0.0.1:9180"
  end
  return host ~= "" and host or "127.0.0.1", port
end

--- The address in one word, as `parse` reads it.
---@param host string
---@param port integer
---@return string
function M.format(host, port)
  return (host:find(":", 1, true) and "[%s]:%d" or "%s:%d"):format(host, port)
end

return M
