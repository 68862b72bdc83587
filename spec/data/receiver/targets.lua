-- Rows of group C: paths, queries and URLs. Each is an id, the status, the
-- reason, and what makes the request.
local d = require "spec.support.deliveries"

local function at(target)
  return function()
    return d.post { target = target }
  end
end

-- A path of its own, signed for that path.
local function signed_at(target)
  return function()
    return d.post { url = "https://h.example" .. target }
  end
end

return {
  { "good", 200, nil, at "/flex/events" },
  { "C001", 404, "unknown_path", at "/flex/events/" },
  { "C001 signed so", 404, "unknown_path", signed_at "/flex/events/" },
  { "C002 two slashes", 404, "unknown_path", at "/flex//events" },
  { "C002 one dot", 404, "unknown_path", at "/flex/./events" },
  { "C002 two dots", 404, "unknown_path", at "/x/../flex/events" },
  { "C002 slashes first", 404, "unknown_path", at "//flex/events" },
  { "C004", 404, "unknown_path", at "/FLEX/events" },
  { "C004 last letter", 404, "unknown_path", at "/flex/eventS" },
  { "C006 %", 400, "bad_escape", at "/flex/events%" },
  { "C006 %z1", 400, "bad_escape", at "/flex/events%z1" },
  { "C006 %1", 400, "bad_escape", at "/flex/events%1" },
  { "C006 %1z", 400, "bad_escape", at "/flex/events%1z" },
  { "C006 %%41", 400, "bad_escape", at "/flex/%%41" },
  { "C006 before a query", 400, "bad_escape", at "/flex/events%?x=1" },
  { "C007", 404, "unknown_path", at "/%2e%2e/%2e%2e/etc/passwd" },
  { "C007 an escaped letter", 404, "unknown_path", at "/flex/%65vents" },
  { "C007 an escaped slash", 404, "unknown_path", at "/flex%2Fevents" },
  { "C007 an escaped NUL", 404, "unknown_path", at "/flex/events%00" },
  { "a raw NUL", 404, "unknown_path", at "/flex/events\0" },
  { "a semicolon", 404, "unknown_path", at "/flex/events;x=1" },
  { "a backslash", 404, "unknown_path", at "\\flex\\events" },
  { "no slash", 404, "unknown_path", at "flex/events" },
  { "an empty target", 404, "unknown_path", at "" },
  { "only a query", 404, "unknown_path", at "?x=1" },
  { "a fragment", 404, "unknown_path", at "/flex/events#x" },
  { "root", 404, "unknown_path", at "/" },
  { "a longer path", 404, "unknown_path", at "/flex/eventsmore" },
  { "C009", 404, "unknown_path", function()
    local request = d.post {}
    local folded = {}
    for name, value in pairs(d.fields()) do
      folded[#folded + 1] = name .. value
    end
    table.sort(folded)
    request.target = "/flex/events" .. table.concat(folded)
    request.body = ""
    return request
  end },
  { "C011", 403, "signature_differs", at "/flex/events?x=1" },
  { "C011 an empty query", 403, "signature_differs", at "/flex/events?" },
  { "C011 signed so", 200, nil, signed_at "/flex/events?x=1" },
  { "A027", 200, nil, at "http://evil.example/flex/events" },
  { "A027 with a port and user", 200, nil,
    at "https://u:p@evil.example:8443/flex/events" },
  { "A027 another case", 200, nil, at "HTTPS://H.EXAMPLE/flex/events" },
  { "A027 without a path", 404, "unknown_path", at "http://h.example" },
  { "A027 with a query only", 404, "unknown_path", at "http://h.example?x" },
  { "A027 signed for evil", 403, "signature_differs", function()
    return d.post { url = "https://evil.example/flex/events" }
  end },
  { "A029", 405, "method", function()
    return { method = "OPTIONS", target = "*" }
  end },
  { "A019 GET", 405, "method", function()
    return d.get {}
  end },
  { "HEAD", 405, "method", function()
    return d.post { method = "HEAD" }
  end },
  { "OPTIONS", 405, "method", function()
    return d.post { method = "OPTIONS" }
  end },
  { "PUT", 405, "method", function()
    return d.post { method = "PUT" }
  end },
  { "a method in small letters", 405, "method", function()
    return d.post { method = "post" }
  end },
  { "an empty method", 405, "method", function()
    return d.post { method = "" }
  end },
  { "a method at an unknown path", 404, "unknown_path", function()
    return d.post { method = "PUT", target = "/x" }
  end },
  { "C016 forged forwarding", 200, nil, function()
    return d.post { headers = {
      Host = "evil.example", ["X-Forwarded-Host"] = "evil.example",
      ["X-Forwarded-Proto"] = "http", ["X-Forwarded-Port"] = "8443",
      Forwarded = "host=evil.example;proto=http",
    } }
  end },
  { "C017 a proxy's scheme is not believed", 403, "signature_differs",
    function()
      return d.post { url = "http://h.example/flex/events",
        headers = { ["X-Forwarded-Proto"] = { "http", "https" } } }
    end },
  { "C019", 403, "signature_differs", function()
    return d.post { url = "https://h.example:8443/flex/events" }
  end },
  { "C019 the default port", 200, nil, function()
    return d.post { url = "https://h.example:443/flex/events" }
  end },
  { "C019 the other scheme's port", 403, "signature_differs", function()
    return d.post { url = "https://h.example:80/flex/events" }
  end },
  { "C022", 403, "signature_differs", function()
    return d.post { url = "http://h.example/flex/events" }
  end },
}
