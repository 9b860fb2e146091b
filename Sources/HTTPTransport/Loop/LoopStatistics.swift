/// What one event loop counted since its start.
package struct LoopStatistics: Sendable {
    /// Connections taken over from the acceptor.
    package internal(set) var connectionsAccepted: UInt64 = 0
    /// Connections that were told 503 because there were too many.
    package internal(set) var connectionsRefused: UInt64 = 0
    /// Connections that were told 503 because their address had too many.
    package internal(set) var connectionsRefusedByAddress: UInt64 = 0
    /// Requests that were told 503 because they had waited too long for the loop.
    package internal(set) var requestsShed: UInt64 = 0
    /// Handshakes of TLS that came to their end.
    package internal(set) var handshakes: UInt64 = 0
    /// Those among them that resumed an earlier session.
    package internal(set) var resumptions: UInt64 = 0
    /// Handshakes of TLS that failed.
    package internal(set) var failedHandshakes: UInt64 = 0
    /// Connections open now.
    package internal(set) var connectionsOpen = 0
    /// Whole requests handed to the handler.
    package internal(set) var requests: UInt64 = 0
    /// Exchanges that were deferred.
    package internal(set) var deferredResponses: UInt64 = 0
    /// Answers by status, those of the transport included; only statuses that occurred.
    package internal(set) var answers: [HTTPStatus: UInt64] = [:]
    /// Requests that no handler saw, by what was wrong with them; every kind.
    package internal(set) var faults: [RequestFault: UInt64] = [:]
    /// Time-outs by kind; every kind.
    package internal(set) var timeouts: [ConnectionTimeout: UInt64] = [:]
    /// Bytes read from sockets.
    package internal(set) var bytesRead: UInt64 = 0
    /// Bytes written to sockets.
    package internal(set) var bytesWritten: UInt64 = 0
    /// Connections closed because slow readers had too much output waiting.
    package internal(set) var closedForOutput: UInt64 = 0
    /// Requests refused because too much content was there.
    package internal(set) var refusedForInput: UInt64 = 0
    /// The longest that requests may have waited in the last minute before they were looked at, in microseconds.
    package internal(set) var lagMaximumMicroseconds: UInt64 = 0
}
