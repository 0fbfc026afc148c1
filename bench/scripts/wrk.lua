-- What wrk sends, and its figures as one line of JSON. Arguments behind the URL and "--":
-- "close" for one connection for each request, "upload=N" for a POST of N octets. Without a
-- function request() or response(), wrk formats one request and sends it from C.
function init(args)
  for _, arg in ipairs(args) do
    local size = arg:match("^upload=(%d+)$")
    if arg == "close" then
      wrk.headers["Connection"] = "close"
    elseif size then
      wrk.method = "POST"
      wrk.body = string.rep("x", tonumber(size))
    end
  end
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\n{"duration": %d, "requests": %d, "p50": %.1f, "p99": %.1f, "max": %.1f, "problems": ' ..
    '{"connect": %d, "read": %d, "write": %d, "timeout": %d, "status": %d}}\n',
    summary.duration, summary.requests,
    latency:percentile(50), latency:percentile(99), latency.max,
    e.connect, e.read, e.write, e.timeout, e.status))
end
