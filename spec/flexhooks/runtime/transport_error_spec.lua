local transport_error = require "flexhooks.runtime.transport_error"

describe("runtime.transport_error", function()
  it("tells the request, whether it was sent, and no secret", function()
    local err = transport_error.new({ method = "POST",
      url = "https://me:secret@h.example/a?token=secret#secret" }, "reset",
      "lost", true)
    assert.same({ kind = "reset", message = "lost", method = "POST",
      url = "https://h.example/a", sent = true }, {
        kind = err.kind, message = err.message, method = err.method,
        url = err.url, sent = err.sent })
  end)

  it("says nothing of what it does not know", function()
    local request = { method = "GET", url = "http://h/" }
    assert.is_nil(transport_error.new(request, "dns", "no such name").sent)
    assert.is_false(
      transport_error.new(request, "dns", "no such name", false).sent)
  end)
end)
