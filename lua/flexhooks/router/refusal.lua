--- Answers of `flexhooks.http` that a handler may have taken for a success.
--
-- Without `expect` an answer is an answer, whatever its status. A handler that
-- returns one has handled its event, so a service that refuses goes unnoticed.
-- @module flexhooks.router.refusal

local M = {}

local noted = setmetatable({}, { __mode = "k" }) -- answer -> its status
local warned = {} -- place of a handler -> true

--- Notes an answer with a status of 400 or more that the caller did not ask to
-- be told of.
---@param answer { status: integer }
function M.note(answer)
  noted[answer] = answer.status
end

-- A handler that is made again for each event has one place all the same.
local function place_of(handler)
  local info = debug.getinfo(handler, "S")
  return info.short_src .. ":" .. info.linedefined
end

--- Warns, once for each handler of this process, if it returned such an
-- answer.
---@param value any what the handler returned, not nil
---@param handler function
---@param context flexhooks.Context
function M.warn(value, handler, context)
  local status = noted[value]
  if not status then
    return
  end
  local place = place_of(handler)
  if not warned[place] then
    warned[place] = true
    context.log("warn", "a handler returned an answer of flexhooks.http with "
      .. "status " .. status .. ", and its event counts as handled: give the "
      .. 'call expect = "2xx", so that the handler fails',
      { handler = place, status = status })
  end
end

return M
