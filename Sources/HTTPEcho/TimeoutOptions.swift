import ArgumentParser
import HTTPTransport

/// The transport's time-outs as options, in seconds.
struct TimeoutOptions: ParsableArguments {
    private static let defaults = HTTPTimeouts()

    @Option(help: "For a whole request head.")
    var headTimeout = seconds(TimeoutOptions.defaults.head)

    @Option(help: "For a whole body.")
    var bodyTimeout = seconds(TimeoutOptions.defaults.body)

    @Option(help: "For the next request on an open connection.")
    var idleTimeout = seconds(TimeoutOptions.defaults.idle)

    @Option(help: "For a peer to take a part of its answer.")
    var writeTimeout = seconds(TimeoutOptions.defaults.write)

    @Option(help: "For a whole request, from its first byte to its answer.")
    var requestTimeout = seconds(TimeoutOptions.defaults.request)

    @Option(help: "For a deferred answer.")
    var handlerTimeout = seconds(TimeoutOptions.defaults.handler)

    @Option(help: "For the peer to close after the last answer.")
    var lingerTimeout = seconds(TimeoutOptions.defaults.linger)

    @Option(help: "For a body to come more slowly than --body-rate.")
    var rateGrace = seconds(TimeoutOptions.defaults.rateGrace)

    @Option(help: "For a loop to get to a request; later ones are answered 503. 0 for no bound.")
    var lag = seconds(TimeoutOptions.defaults.lag)

    /// The time-outs chosen.
    var timeouts: HTTPTimeouts {
        var timeouts = HTTPTimeouts()
        timeouts.head = .seconds(headTimeout)
        timeouts.body = .seconds(bodyTimeout)
        timeouts.idle = .seconds(idleTimeout)
        timeouts.write = .seconds(writeTimeout)
        timeouts.request = .seconds(requestTimeout)
        timeouts.handler = .seconds(handlerTimeout)
        timeouts.linger = .seconds(lingerTimeout)
        timeouts.rateGrace = .seconds(rateGrace)
        timeouts.lag = .seconds(lag)
        return timeouts
    }
}

private func seconds(_ duration: Duration) -> Double { duration / .seconds(1) }
