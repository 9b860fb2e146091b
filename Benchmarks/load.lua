-- What wrk sends, and how it reports. Arguments: method, path, a file with one request body a line, how many requests
-- are sent at once, and header fields (`Name: value`); with several lines the requests take turns. The figures come as
-- one line of JSON, since wrk's own table is for people.

function init(arguments)
   local method, path, file, depth = arguments[1], arguments[2], arguments[3], tonumber(arguments[4])
   wrk.method = method
   wrk.path = path
   wrk.headers["Content-Type"] = "application/json"
   for index = 5, #arguments do
      local name, value = arguments[index]:match("^([^:]+): (.*)$")
      wrk.headers[name] = value
   end
   local requests = {}
   for line in io.lines(file) do
      requests[#requests + 1] = wrk.format(method, path, nil, line)
   end
   if depth > 1 then
      local batch = string.rep(requests[1], depth)
      request = function() return batch end
   elseif #requests == 1 then
      wrk.body = io.lines(file)()
   else
      local turn = 0
      request = function()
         turn = turn % #requests + 1
         return requests[turn]
      end
   end
end

function done(summary, latency, requests)
   local errors = summary.errors
   io.write(string.format(
      '{"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"p999":%d,"failures":%d}\n',
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
      errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
