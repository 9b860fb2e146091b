import ArgumentParser
import HTTPTransport

/// The transport's limits as options.
struct LimitOptions: ParsableArguments {
    private static let defaults = HTTPLimits()

    @Option(help: "Bytes of a request line.")
    var requestLineBytes = LimitOptions.defaults.requestLineBytes

    @Option(help: "Bytes of all header fields of a request.")
    var fieldBytes = LimitOptions.defaults.fieldBytes

    @Option(help: "Header fields of a request.")
    var fieldCount = LimitOptions.defaults.fieldCount

    @Option(help: "Bytes of a request's content.")
    var bodyBytes = LimitOptions.defaults.bodyBytes

    @Option(help: "Bytes of one chunk-size line.")
    var chunkLineBytes = LimitOptions.defaults.chunkLineBytes

    @Option(help: "Bytes of answers that may wait for a slow reader.")
    var pendingOutputBytes = LimitOptions.defaults.pendingOutputBytes

    @Option(help: "Bytes of answers that may wait for slow readers, of all connections of a loop.")
    var keptOutputBytes = LimitOptions.defaults.keptOutputBytes

    @Option(help: "Bytes of content that is not answered yet, of all connections of a loop.")
    var keptInputBytes = LimitOptions.defaults.keptInputBytes

    @Option(help: "Bytes a second of an answer, on average once --rate-grace is over; 0 for no bound.")
    var outputRate = LimitOptions.defaults.outputRate

    @Option(help: "Bytes read and dropped after an answer that closes the connection.")
    var lingerBytes = LimitOptions.defaults.lingerBytes

    @Option(help: "Open connections.")
    var connections = LimitOptions.defaults.connections

    @Option(help: "Open connections of one address, or one /64 network of IPv6; 0 for no bound.")
    var connectionsPerAddress = LimitOptions.defaults.connectionsPerAddress

    @Option(help: "Bytes a second of a body, on average once --rate-grace is over; 0 for no bound.")
    var bodyRate = LimitOptions.defaults.bodyRate

    @Option(help: "Connections beyond that are told 503 before they are closed.")
    var refusedConnections = LimitOptions.defaults.refusedConnections

    /// The limits chosen.
    var limits: HTTPLimits {
        var limits = HTTPLimits()
        limits.requestLineBytes = requestLineBytes
        limits.fieldBytes = fieldBytes
        limits.fieldCount = fieldCount
        limits.bodyBytes = bodyBytes
        limits.chunkLineBytes = chunkLineBytes
        limits.pendingOutputBytes = pendingOutputBytes
        limits.keptOutputBytes = keptOutputBytes
        limits.keptInputBytes = keptInputBytes
        limits.outputRate = outputRate
        limits.lingerBytes = lingerBytes
        limits.connections = connections
        limits.connectionsPerAddress = connectionsPerAddress
        limits.bodyRate = bodyRate
        limits.refusedConnections = refusedConnections
        return limits
    }
}
