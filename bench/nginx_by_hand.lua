-- The handler that one writes without a library: arguments by nginx, sorted,
-- signed, compared, and the event looked at.
local M = {}

local function concatenated(url, args)
  local names = {}
  for name in pairs(args) do
    names[#names + 1] = name
  end
  table.sort(names)
  local parts = { url }
  for _, name in ipairs(names) do
    parts[#parts + 1] = name
    parts[#parts + 1] = args[name]
  end
  return table.concat(parts)
end

function M.handle()
  ngx.req.read_body()
  local args = ngx.req.get_post_args()
  local signed = concatenated("https://h.example" .. ngx.var.request_uri, args)
  local signature = ngx.encode_base64(ngx.hmac_sha1("12345", signed))
  if signature ~= ngx.var.http_x_twilio_signature then
    return ngx.exit(403)
  end
  if args.EventType == "onParticipantJoined"
    and args.ParticipantType == "agent" then
    ngx.header.content_type = "application/json"
    ngx.print "{}"
  end
end

return M
