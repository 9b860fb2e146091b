import ArgumentParser
import HTTPTransport

/// The transport's time-outs as options.
struct TimeoutOptions: ParsableArguments {
    private static let defaults = HTTPTimeouts()

    @Option(help: "For a whole request head.")
    var headTimeout = Seconds(TimeoutOptions.defaults.head)

    @Option(help: "For a whole body.")
    var bodyTimeout = Seconds(TimeoutOptions.defaults.body)

    @Option(help: "For the next request on an open connection.")
    var idleTimeout = Seconds(TimeoutOptions.defaults.idle)

    @Option(help: "For a peer to take a part of its answer.")
    var writeTimeout = Seconds(TimeoutOptions.defaults.write)

    @Option(help: "For a whole request, from its first byte to its answer.")
    var requestTimeout = Seconds(TimeoutOptions.defaults.request)

    @Option(help: "For a deferred answer.")
    var handlerTimeout = Seconds(TimeoutOptions.defaults.handler)

    @Option(help: "For the peer to close after the last answer.")
    var lingerTimeout = Seconds(TimeoutOptions.defaults.linger)

    @Option(help: "For a body to come more slowly than --body-rate.")
    var rateGrace = Seconds(TimeoutOptions.defaults.rateGrace)

    @Option(help: "For a loop to get to a request; later ones are answered 503. 0 for no bound.")
    var lag = Seconds(TimeoutOptions.defaults.lag)

    /// The time-outs chosen.
    var timeouts: HTTPTimeouts {
        var timeouts = HTTPTimeouts()
        timeouts.head = headTimeout.duration
        timeouts.body = bodyTimeout.duration
        timeouts.idle = idleTimeout.duration
        timeouts.write = writeTimeout.duration
        timeouts.request = requestTimeout.duration
        timeouts.handler = handlerTimeout.duration
        timeouts.linger = lingerTimeout.duration
        timeouts.rateGrace = rateGrace.duration
        timeouts.lag = lag.duration
        return timeouts
    }
}
