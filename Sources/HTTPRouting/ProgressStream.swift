import Bytes
import Dispatch
import HTTPTransport
import JSON
import Platform

/// The response to a request for long work, for clients that want to see how far it is: one JSON text a line
/// (https://jsonlines.org), `{"work":{…}}` about twice a second, and as the last `{"response":{"status":…,
/// "fields":{…},"content":…}}`.
final class ProgressStream: Sendable {
    private struct State {
        var stream: ResponseStream?
        /// Says how far the work is.
        var work: (@Sendable () -> JSONValue)?
        /// What is still to be said at the end.
        var last: [UInt8]?
    }

    private static let interval = DispatchTimeInterval.milliseconds(500)
    private static let mediaType: StaticString = "application/jsonl"

    private let state = Locked(State())
    private let queue = DispatchQueue(label: "flag-server.progress")

    /// Whether a client says that it reads such answers, by naming this type alone.
    static func isWanted(by request: borrowing HTTPRequest) -> Bool {
        request.field("Accept")?.hasSameBytes(as: mediaType) ?? false
    }

    /// Begins the response. Its status is 200, whatever comes of the work: that is told at the end.
    init(_ exchange: inout Exchange) {
        let stream = exchange.stream(
            .ok, contentType: Self.mediaType, endsAtDrain: false,
            onRoom: { [weak self] in
                guard let self else { return }
                queue.async { self.end() }
            })
        state.withLock { $0.stream = stream }
    }

    /// Whether somebody waits for the end.
    var isRead: Bool { state.withLock { $0.stream }?.isRead ?? false }

    /// Tells from now on how far the work is.
    ///
    /// - Parameter work: asked from another thread, until the end.
    func follow(_ work: @escaping @Sendable () -> JSONValue) {
        state.withLock { $0.work = work }
        queue.async { self.tell() }
    }

    private func tell() {
        let (stream, work) = state.withLock { ($0.stream, $0.work) }
        guard let stream, let work else { return }
        var line = JSONWriter()
        line.beginObject()
        line.key("work")
        line.value(work())
        line.endObject()
        // Who reads slowly misses some of it.
        guard stream.write(line.bytes + [UInt8(ascii: "\n")]) != .closed else { return }
        queue.asyncAfter(deadline: .now() + Self.interval) { self.tell() }
    }

    /// Ends with what came of it.
    func finish(_ response: HTTPResponse) {
        var line = JSONWriter()
        line.beginObject()
        line.key("response")
        line.beginObject()
        line.key("status")
        line.int(Int64(response.status.code))
        line.key("fields")
        line.beginObject()
        for (name, value) in response.fields { line.member(name, value) }
        line.endObject()
        line.key("content")
        if response.body.isEmpty { line.null() } else { line.raw(response.body) }
        line.endObject()
        line.endObject()
        let bytes = line.bytes + [UInt8(ascii: "\n")]
        state.withLock { state in
            state.work = nil
            state.last = bytes
        }
        queue.async { self.end() }
    }

    /// Says the last line, now or when there is room for it.
    private func end() {
        let (stream, last) = state.withLock { ($0.stream, $0.last) }
        guard let stream, let last, stream.write(last) != .full else { return }
        state.withLock { $0.last = nil }
        stream.finish()
    }
}
