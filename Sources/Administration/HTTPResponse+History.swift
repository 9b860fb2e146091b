import FlagStore
import HTTPTransport
import JSON

extension HTTPResponse {
    /// The history of a flag or a segment.
    ///
    /// - Parameter exists: fails with `notFound` when there is no such thing. Something without a history is one thing
    ///   (it is older than histories are), a mistyped name another.
    static func history(
        _ entries: [FlagHistoryEntry], exists: () throws(FlagStoreError) -> Void
    ) throws(FlagStoreError) -> HTTPResponse {
        if entries.isEmpty { try exists() }
        return .json(["history": .array(entries.map(\.json))])
    }
}
