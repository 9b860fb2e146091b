import Platform

/// The time-outs in whole milliseconds, as the machines compare them.
struct TimeoutsInMilliseconds: Sendable {
    let head: Int64
    let body: Int64
    let idle: Int64
    let write: Int64
    let request: Int64
    let handler: Int64
    let linger: Int64
    let rateGrace: Int64
    /// Bytes a second; 0 for no bound.
    let bodyRate: Int64
    /// Bytes a second; 0 for no bound.
    let outputRate: Int64
    /// Microseconds; `max` for no bound.
    let lag: Int64

    init(_ timeouts: HTTPTimeouts, bodyRate: Int, outputRate: Int) {
        self.outputRate = Int64(outputRate)
        rateGrace = Int64(timeouts.rateGrace.milliseconds)
        self.bodyRate = Int64(bodyRate)
        lag = timeouts.lag > .zero ? Int64(timeouts.lag.milliseconds) * 1000 : .max
        head = Int64(timeouts.head.milliseconds)
        body = Int64(timeouts.body.milliseconds)
        idle = Int64(timeouts.idle.milliseconds)
        write = Int64(timeouts.write.milliseconds)
        request = Int64(timeouts.request.milliseconds)
        handler = Int64(timeouts.handler.milliseconds)
        linger = Int64(timeouts.linger.milliseconds)
    }
}
