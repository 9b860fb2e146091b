/// What a connection can wait for too long.
package enum ConnectionTimeout: UInt8, Sendable, CaseIterable {
    /// A handshake of TLS.
    case handshake
    /// A whole request head.
    case head
    /// A whole body.
    case body
    /// A body that comes too slowly.
    case rate
    /// A whole request, from its first byte to its response.
    case request
    /// The next request.
    case idle
    /// A peer that takes its response.
    case write
    /// A response that is taken too slowly.
    case taking
    /// A deferred answer.
    case handler
}
