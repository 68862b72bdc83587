--- Timers: a binary heap of things that have a `due` time.
--
-- An entry is any table with a number in `due`. While it is in the heap its
-- `index` is its place there, so that it can be taken out again at once: a
-- time-out that is not needed after all leaves nothing behind.
-- @module flexhooks.timers

local M = {}

local Timers = { __name = "flexhooks.timers" }
Timers.__index = Timers

--- An empty heap.
function M.new()
  return setmetatable({ n = 0 }, Timers)
end

local function rise(heap, entry, i)
  while i > 1 do
    local parent = (i - i % 2) / 2
    local above = heap[parent]
    if above.due <= entry.due then
      break
    end
    heap[i], above.index = above, i
    i = parent
  end
  heap[i], entry.index = entry, i
end

local function sink(heap, entry, i)
  local n = heap.n
  while 2 * i <= n do
    local child = 2 * i
    if child < n and heap[child + 1].due < heap[child].due then
      child = child + 1
    end
    local below = heap[child]
    if entry.due <= below.due then
      break
    end
    heap[i], below.index = below, i
    i = child
  end
  heap[i], entry.index = entry, i
end

--- Adds `entry`, which is in no heap.
function Timers:push(entry)
  self.n = self.n + 1
  rise(self, entry, self.n)
end

--- Takes `entry` out; it is in this heap.
function Timers:remove(entry)
  local i, n = entry.index, self.n
  local last = self[n]
  self[n], self.n, entry.index = nil, n - 1, nil
  if last ~= entry then
    sink(self, last, i)
    rise(self, last, last.index)
  end
end

--- The entry that is due first, or nil.
function Timers:first()
  return self[1]
end

return M
