import { slices } from './limiter.ts';

/** Milliseconds by the server's own clock: those of the services may differ. */
export const serverTime = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/**
 * What `decide` in limiter.ts does, line by line, in one step on the server. A state is text: number of the last slice, tokens,
 * time, and the counts of the slices. KEYS: the key. ARGV: quota, milliseconds of a slice, burst, tokens a millisecond, milliseconds
 * after which the key is forgotten.
 * @param clock Lua that sets `now`
 * @returns the script, whose reply is outcome, requests used, tokens, milliseconds until some of the quota comes back
 */
export function takeScript(clock: string): string {
  return `${clock}
local quota, slice, burst, rate = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local slots = ${slices + 1}
local counts, used, tokens = {}, 0, burst
for slot = 0, slots - 1 do counts[slot] = 0 end
local state = redis.call('GET', KEYS[1])
local index
if state then
  local values = {}
  for value in string.gmatch(state, '[^,]+') do values[#values + 1] = tonumber(value) end
  now = math.max(now, values[3])
  index = math.floor(now / slice)
  tokens = math.min(burst, values[2] + (now - values[3]) * rate)
  for number = index - slots + 1, values[1] do
    local slot = number % slots
    counts[slot] = values[4 + slot]
    used = used + counts[slot]
  end
else
  index = math.floor(now / slice)
end
local outcome = 'allowed'
if used >= quota then outcome = 'window' elseif tokens < 1 then outcome = 'bucket' end
if outcome == 'allowed' then
  local slot = index % slots
  counts[slot] = counts[slot] + 1
  used = used + 1
  tokens = tokens - 1
  local text = string.format('%.0f,%.17g,%.17g', index, tokens, now)
  for each = 0, slots - 1 do text = text .. ',' .. counts[each] end
  redis.call('SET', KEYS[1], text, 'PX', ARGV[5])
end
local oldest = index - slots + 1
while oldest < index and counts[oldest % slots] == 0 do oldest = oldest + 1 end
local frees = (slots - 1) * slice
if used > 0 then frees = (oldest + slots) * slice - now end
return { outcome, used, string.format('%.17g', tokens), string.format('%.17g', frees) }`;
}
