-- The journal of the processes that crash specs kill: a line for each thing
-- that happened to an event, written at once, into the file $JOURNAL.
local M = {}

local file = assert(io.open(os.getenv "JOURNAL", "a"))
file:setvbuf "no"
local mark = os.getenv "MARK" or tostring(os.time())

--- One write call, so that lines of several processes never mix.
function M.note(what, event, context)
  file:write(table.concat({ what, mark, event.InteractionSid, event.Number,
    context.id, context.attempt, tostring(context.fence) }, " ") .. "\n")
end

return M
