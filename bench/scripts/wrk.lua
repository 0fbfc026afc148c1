-- What wrk sends, and its figures as one line of JSON. Arguments behind the URL and "--":
-- "close" for one connection for each request, "upload=N" for a POST of N octets, "traffic=FILE"
-- for the requests of a file that bench/traffic.py has written, one after the other. Without a
-- function request() or response(), wrk formats one request and sends it from C.

-- The requests of a file: each follows its length and an end of line.
local function read(path)
  local file = assert(io.open(path, "rb"))
  local octets = file:read("*a")
  file:close()
  local requests, place = {}, 1
  while place <= #octets do
    local stop = octets:find("\n", place, true)
    local length = tonumber(octets:sub(place, stop - 1))
    requests[#requests + 1] = octets:sub(stop + 1, stop + length)
    place = stop + length + 1
  end
  assert(#requests > 0, "no requests in " .. path)
  return requests
end

local thread
function setup(it)
  thread = it
end

function init(args)
  for _, arg in ipairs(args) do
    local size = arg:match("^upload=(%d+)$")
    local path = arg:match("^traffic=(.+)$")
    if arg == "close" then
      wrk.headers["Connection"] = "close"
    elseif size then
      wrk.method = "POST"
      wrk.body = string.rep("x", tonumber(size))
    elseif path then
      local requests, number = read(path), 0
      function request()
        number = number % #requests + 1
        return requests[number]
      end
    end
  end
  -- Of the processor: what init() takes is no load on anyone.
  began = os.clock()
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\n{"duration": %d, "cpu": %.6f, "requests": %d, "p50": %.1f, "p99": %.1f, "max": %.1f, ' ..
    '"problems": {"connect": %d, "read": %d, "write": %d, "timeout": %d, "status": %d}}\n',
    summary.duration, os.clock() - thread:get("began"), summary.requests,
    latency:percentile(50), latency:percentile(99), latency.max,
    e.connect, e.read, e.write, e.timeout, e.status))
end
