-- May this job's call be made now, with which account, and if not, when? One atomic step for all workers.
--
-- KEYS: queue (job -> tag), plan (job -> when it comes), owners (job -> owner), finish (owner -> last tag), facts;
--       then for each account, best first: calls, leases (job -> end), starts (job -> begin), cool-down, empty.
-- ARGV: job, owner, weight, lease s (0: none), usual seconds of a lease, a unique word;
--       then for each account: window s, calls, concurrency.
-- Gives {account's number, '0'} when the call is stamped now, else {0, seconds to wait}; {-1, '0'}: all are empty.

local job, owner, weight, lease_s = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local queue, plan, owners, finish, facts = unpack(KEYS, 1, 5)
local LATE_S = 2       -- who does not come to his time for so long holds up nobody
local GONE_S = 60      -- and for so long is forgotten
local SPREAD = 0.8     -- calls planned behind each other are at least so much of an even spacing apart
local PLACES = 500     -- places are counted one by one so far; behind them by the mean
local SAFETY_S = 0.005 -- a timer may ring this early

local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000

local function number(value) return tonumber(value or nil) end

local function read(i)
  local key, arg = 5 + 5 * (i - 1), 6 + 3 * (i - 1)
  local a = {calls = KEYS[key + 1], leases = KEYS[key + 2], starts = KEYS[key + 3], places = {}}
  a.window, a.limit, a.concurrency = tonumber(ARGV[arg + 1]), tonumber(ARGV[arg + 2]), tonumber(ARGV[arg + 3])
  a.pause = math.max(redis.call('PTTL', KEYS[key + 4]), 0) / 1000
  a.empty = redis.call('EXISTS', KEYS[key + 5]) == 1
  redis.call('ZREMRANGEBYSCORE', a.calls, '-inf', now - a.window)
  for _, lost in ipairs(redis.call('ZRANGEBYSCORE', a.leases, '-inf', now)) do
    redis.call('ZREM', a.leases, lost)
    redis.call('ZREM', a.starts, lost)
    redis.call('HDEL', owners, lost)
  end
  a.room = a.limit - redis.call('ZCARD', a.calls)
  a.slots = lease_s > 0 and a.concurrency - redis.call('ZCARD', a.leases) or math.huge
  a.mine = redis.call('ZSCORE', a.leases, job)
  a.free = (a.empty or a.pause > 0) and 0 or math.max(math.min(a.room, a.slots), 0)
  return a
end

local accounts, usable, free, slots, holder = {}, 0, 0, 0, nil
for i = 1, (#KEYS - 5) / 5 do
  local a = read(i)
  a.number = i
  accounts[i] = a
  slots = slots + a.concurrency
  if not a.empty then
    usable = usable + 1
    free = free + a.free
  end
  if a.mine then holder = a end
end
if usable == 0 then return {-1, '0'} end

for _, gone in ipairs(redis.call('ZRANGEBYSCORE', plan, '-inf', now - GONE_S)) do
  redis.call('ZREM', plan, gone)
  redis.call('ZREM', queue, gone)
  redis.call('HDEL', owners, gone)
end

-- Start-time fair queueing (Goyal, Vin and Cheng 1996): a job's tag is its owner's last one plus 1/weight, but an owner
-- who was idle catches up by no more than an even share of the slots.
local virtual = number(redis.call('HGET', facts, 'virtual')) or 0
local tag = number(redis.call('ZSCORE', queue, job))
if not tag then
  local last = number(redis.call('ZSCORE', finish, owner))
  local others = redis.call('ZCOUNT', finish, virtual, '+inf') - ((last and last >= virtual) and 1 or 0)
  tag = math.max(last or -math.huge, virtual - slots / (others + 1)) + 1 / weight
  redis.call('ZADD', finish, tag, owner)
  redis.call('ZREMRANGEBYSCORE', finish, '-inf', virtual - slots - 1)
end
redis.call('ZADD', queue, tag, job)
local rank = redis.call('ZRANK', queue, job)
local place_in_queue, is_late = rank, {}
for _, late in ipairs(redis.call('ZRANGEBYSCORE', plan, '-inf', now - LATE_S)) do
  local at = number(redis.call('ZRANK', queue, late))
  if at and at < place_in_queue then
    rank = rank - 1
    is_late[late] = true
  end
end

-- Jobs of one owner are alike: the one that is here takes the place of the first of them, which gets this one's tag, so
-- that nobody gains a turn by it. Gives how many jobs of other owners come before that place.
local function others_first()
  local others, sibling = 0, nil
  for from = 0, place_in_queue - 1, 500 do
    local ahead = redis.call('ZRANGE', queue, from, math.min(from + 499, place_in_queue - 1), 'WITHSCORES')
    local jobs = {}
    for i = 1, #ahead, 2 do jobs[#jobs + 1] = ahead[i] end
    for i, whose in ipairs(redis.call('HMGET', owners, unpack(jobs))) do
      if whose == owner then
        sibling = {jobs[i], tonumber(ahead[2 * i])}
        break
      elseif not is_late[jobs[i]] then others = others + 1 end
    end
    if sibling or others >= free then break end
  end
  if others < free and sibling then
    redis.call('ZADD', queue, tag, sibling[1])
    tag = sibling[2]
  end
  return others
end

local function stamp(a)
  redis.call('ZADD', a.calls, now, ARGV[6])
  redis.call('PEXPIRE', a.calls, math.ceil(a.window * 1000) + 1000)
  redis.call('ZREM', queue, job)
  redis.call('ZREM', plan, job)
  if lease_s > 0 then
    redis.call('ZADD', a.leases, now + lease_s, job)
    redis.call('HSET', owners, job, owner)
    if not a.mine then redis.call('ZADD', a.starts, now, job) end
  elseif not holder then
    redis.call('HDEL', owners, job)
  end
  redis.call('HSET', facts, 'virtual', math.max(virtual, tag - 1 / weight))
  return {a.number, '0'}
end

if holder then
  if holder.room > 0 and holder.pause == 0 and not holder.empty then return stamp(holder) end
elseif free > 0 and (free > rank or free > others_first()) then
  for _, a in ipairs(accounts) do
    if a.free > 0 then return stamp(a) end
  end
end

-- When the account's k-th next call can be made, knowing the places before it.
local function place(a, k, hold)
  local at = now + a.pause
  if k > a.limit then at = math.max(at, a.places[k - a.limit] + a.window)
  elseif k > a.room then at = math.max(at, a.stamps[k - a.room] + a.window) end
  if k > a.slots and k > a.concurrency then at = math.max(at, a.places[k - a.concurrency] + hold)
  elseif k > a.slots then
    local age = now - a.begun[k - a.slots]
    at = math.max(at, now + math.max(hold - age, 0.03 * age, 0.25))
  end
  local before = a.places[k - 1] or a.stamps[#a.stamps]
  return before and math.max(at, before + SPREAD * a.window / a.limit) or at
end

local function scores(key)
  local found, pairs_ = {}, redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  for i = 2, #pairs_, 2 do found[#found + 1] = tonumber(pairs_[i]) end
  return found
end

local hold = number(redis.call('HGET', facts, 'hold')) or tonumber(ARGV[5])
for _, a in ipairs(accounts) do
  a.stamps, a.begun = scores(a.calls), scores(a.starts)
end
local at, counted = now, math.min(rank + 1, PLACES)
for _ = 1, counted do
  local best
  for _, a in ipairs(accounts) do
    if not a.empty then
      a.next = a.next or place(a, #a.places + 1, hold)
      if not best or a.next < best.next then best = a end
    end
  end
  at = best.next
  best.places[#best.places + 1] = at
  best.next = nil
end
if rank + 1 > counted then
  local pace = 0
  for _, a in ipairs(accounts) do pace = pace + (a.empty and 0 or a.limit / a.window) end
  at = at + (rank + 1 - counted) * math.max((at - now) / counted, 1 / pace)
end
at = math.max(at + SAFETY_S, now + 0.02)
redis.call('ZADD', plan, at, job)
redis.call('HSET', owners, job, owner)
return {0, tostring(at - now)}
