--- Whose turn it is: one line for each interaction, one event of it at a time.
--
-- Pure bookkeeping, no clock and no I/O. Where it raises for want of memory,
-- nothing has changed. A lane's head is a ref with its
-- state; behind it only sequence numbers are kept, because what has not been a
-- head was never started. Lanes become ready in the order their heads were
-- added.
-- @module flexhooks.worker.scheduler

local M = {}

local Lanes = { __name = "flexhooks.worker.scheduler" }
Lanes.__index = Lanes

--- No lines at all.
function M.new()
  return setmetatable({
    lanes = {}, -- line -> lane
    known = 0, -- refs held, heads included
    ready = {}, first = 1, last = 0, -- lanes that may start, first come first
    waiting = {}, -- heap of { at, lane, stamp }
    running = 0,
  }, Lanes)
end

-- The heap holds the earliest time at 1. A lane that moved on leaves its entry
-- behind; the stamp tells.
local function sift_up(heap, i)
  while i > 1 do
    local parent = (i - i % 2) / 2
    if heap[parent].at <= heap[i].at then
      return
    end
    heap[parent], heap[i] = heap[i], heap[parent]
    i = parent
  end
end

local function sift_down(heap)
  local i = 1
  while true do
    local least = i
    for child = 2 * i, 2 * i + 1 do
      if heap[child] and heap[child].at < heap[least].at then
        least = child
      end
    end
    if least == i then
      return
    end
    heap[least], heap[i] = heap[i], heap[least]
    i = least
  end
end

local function pop(heap)
  heap[1] = heap[#heap]
  heap[#heap] = nil
  if #heap > 1 then
    sift_down(heap)
  end
end

function Lanes:make_ready(lane)
  local last = self.last + 1
  self.ready[last] = lane
  self.last = last
  lane.state = "ready"
  lane.stamp = lane.stamp + 1
end

function Lanes:make_wait(lane, at)
  local stamp = lane.stamp + 1
  if at < math.huge then
    local heap = self.waiting
    heap[#heap + 1] = { at = at, lane = lane, stamp = stamp }
    sift_up(heap, #heap)
  end
  lane.state, lane.stamp = "waiting", stamp
end

--- Adds the next ref of its line. `ref.at` (the same clock as `next`'s) is
-- when it may start; nil for at once, math.huge for only when released.
function Lanes:add(ref)
  local lane = self.lanes[ref.line]
  if lane then
    local tail = lane.tail + 1
    lane[tail] = ref.seq
    lane.tail, self.known = tail, self.known + 1
    return
  end
  lane = { line = ref.line, part = ref.part, fence = ref.fence, head = ref,
    next = 1, tail = 0, stamp = 0, state = "new" }
  ref.lane = lane
  if ref.at then
    self:make_wait(lane, ref.at)
  else
    self:make_ready(lane)
  end
  self.known = self.known + 1
  self.lanes[ref.line] = lane
end

-- The earliest entry that still means something, or nil.
function Lanes:peek()
  local heap = self.waiting
  while heap[1] do
    local entry = heap[1]
    if entry.lane.stamp == entry.stamp then
      return entry
    end
    pop(heap)
  end
end

--- When the earliest waiting lane may start, or nil.
function Lanes:earliest()
  local entry = self:peek()
  return entry and entry.at
end

function Lanes:wake(now)
  local entry = self:peek()
  while entry and entry.at <= now do
    pop(self.waiting)
    self:make_ready(entry.lane)
    entry = self:peek()
  end
end

--- The next ref to start, which is running from now on, or nil.
function Lanes:take(now)
  self:wake(now)
  while self.first <= self.last do
    local lane = self.ready[self.first]
    self.ready[self.first] = nil
    self.first = self.first + 1
    if lane.state == "ready" then
      lane.state = "running"
      self.running = self.running + 1
      return lane.head
    end
  end
end

--- How many lanes could start now, at most.
function Lanes:startable(now)
  self:wake(now)
  return self.last - self.first + 1
end

local function leave(self, lane)
  if lane.state == "running" then
    self.running = self.running - 1
  end
end

--- The head is gone: handled, buried or not ours; its line goes on.
function Lanes:done(ref)
  local lane = ref.lane
  if lane.state == "dropped" then
    return
  end
  if lane.next > lane.tail then
    leave(self, lane)
    self.known = self.known - 1
    lane.state = "dropped"
    self.lanes[lane.line] = nil
    return
  end
  local head = { seq = lane[lane.next], line = lane.line, part = lane.part,
    fence = lane.fence, attempts = 0, lane = lane }
  local running = lane.state == "running"
  self:make_ready(lane)
  self.running = self.running - (running and 1 or 0)
  self.known = self.known - 1
  lane.head = head
  lane[lane.next] = nil
  lane.next = lane.next + 1
end

--- The head stays and may start again at `at` (math.huge: when released).
function Lanes:retry(ref, at)
  local lane = ref.lane
  if lane.state ~= "dropped" then
    local running = lane.state == "running"
    self:make_wait(lane, at)
    self.running = self.running - (running and 1 or 0)
  end
end

--- A waiting head may start at once.
function Lanes:release(ref)
  if ref.lane.state == "waiting" then
    self:make_ready(ref.lane)
  end
end

--- Forgets the lanes of a partition. What runs of them runs on, unlisted.
function Lanes:drop(part)
  for line, lane in pairs(self.lanes) do
    if lane.part == part then
      leave(self, lane)
      self.known = self.known - (lane.tail - lane.next + 2)
      lane.state = "dropped"
      lane.stamp = lane.stamp + 1
      self.lanes[line] = nil
    end
  end
end

return M
