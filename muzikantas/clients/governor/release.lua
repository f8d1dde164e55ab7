-- A job is over: its lease and its place in the queue are free, and how long it took is remembered.
--
-- KEYS: queue, plan, owners, facts; then for each account: leases, starts. ARGV: job.

local job = ARGV[1]
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
for i = 5, #KEYS, 2 do
  local start = redis.call('ZSCORE', KEYS[i + 1], job)
  if start and redis.call('ZREM', KEYS[i], job) == 1 then
    local took = now - tonumber(start)
    local before = redis.call('HGET', KEYS[4], 'hold')
    -- A moving mean: the last ten or so leases count.
    redis.call('HSET', KEYS[4], 'hold', before and 0.9 * tonumber(before) + 0.1 * took or took)
  end
  redis.call('ZREM', KEYS[i + 1], job)
end
redis.call('ZREM', KEYS[1], job)
redis.call('ZREM', KEYS[2], job)
redis.call('HDEL', KEYS[3], job)
