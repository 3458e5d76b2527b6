-- wrk's script: every call a new event (or a batch of new events), by Basic authorization.
-- Arguments: write key, events in a call.

local numbers = "0123456789abcdef"
local pieces = {}
local count = 0
local size = 1
local seed = ""

local function base64(text)
  local letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  local out = {}
  for i = 1, #text, 3 do
    local a, b, c = text:byte(i, i + 2)
    local n = a * 65536 + (b or 0) * 256 + (c or 0)
    for shift = 3, 0, -1 do
      local six = math.floor(n / 64 ^ shift) % 64
      out[#out + 1] = letters:sub(six + 1, six + 1)
    end
    if not c then out[#out] = "=" end
    if not b then out[#out - 1] = "=" end
  end
  return table.concat(out)
end

local function event()
  count = count + 1
  return string.format(
    '{"type":"track","event":"Product Viewed","userId":"user-%d","anonymousId":"device-%d",'
      .. '"messageId":"%s-%d","timestamp":"2026-03-01T12:00:00.000Z",'
      .. '"properties":{"sku":"sku-%d","price":12.5,"currency":"EUR","position":3},'
      .. '"context":{"app":{"name":"Shop","version":"4.2.1"},"os":{"name":"Android","version":"15"},'
      .. '"locale":"de-DE","timezone":"Europe/Berlin","library":{"name":"bench","version":"1"}}}',
    count % 50000, count % 50000, seed, count, count % 1000)
end

function init(args)
  math.randomseed(os.time())
  for i = 1, 12 do
    local at = math.random(1, 16)
    seed = seed .. numbers:sub(at, at)
  end
  size = tonumber(args[2])
  wrk.method = "POST"
  wrk.headers["Authorization"] = "Basic " .. base64(args[1] .. ":")
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  if size == 1 then return wrk.format(nil, nil, nil, event()) end
  for i = 1, size do pieces[i] = event() end
  return wrk.format(nil, nil, nil, '{"batch":[' .. table.concat(pieces, ",") .. "]}")
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50":%.1f,"p99":%.1f,"errors":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
