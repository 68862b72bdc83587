--- Timers: a binary heap of things that have a `due` time.
--
-- An entry is any table with a number in `due`. While it is in the heap its
-- `index` is its place there, so that it can be taken out again at once: a
-- time-out that is not needed after all leaves nothing behind.
-- @module flexhooks.util.heap

local M = {}

local Timers = { __name = "flexhooks.util.heap" }
Timers.__index = Timers

--- An empty heap.
function M.new()
  return setmetatable({ n = 0 }, Timers)
end

-- Puts `entry` to its place in a heap of `n`, at `i` or away from it. It calls
-- no function, because a call may raise without memory and leave the heap
-- damaged.
local function place(heap, entry, i, n)
  local due = entry.due
  while i > 1 and heap[(i - i % 2) / 2].due > due do
    local parent = (i - i % 2) / 2
    local above = heap[parent]
    heap[i], above.index = above, i
    i = parent
  end
  while 2 * i <= n do
    local child = 2 * i
    if child < n and heap[child + 1].due < heap[child].due then
      child = child + 1
    end
    local below = heap[child]
    if due <= below.due then
      break
    end
    heap[i], below.index = below, i
    i = child
  end
  heap[i], entry.index = entry, i
end

--- Adds `entry`, which is in no heap. Without memory it raises, and nothing
-- has changed: a place beyond `n` does not count.
function Timers:push(entry)
  local n = self.n + 1
  self[n] = entry
  place(self, entry, n, n)
  self.n = n
end

--- Takes `entry` out; it is in this heap.
function Timers:remove(entry)
  local i, n = entry.index, self.n
  local last = self[n]
  if last ~= entry then
    place(self, last, i, n - 1)
  end
  self[n], self.n, entry.index = nil, n - 1, nil
end

--- The entry that is due first, or nil.
function Timers:first()
  return self.n > 0 and self[1] or nil
end

return M
