import Access
import Bytes
import FlagCore

extension CallerTable {
    /// Whoever shows a session. O(1), without an allocation for one that is known; else an HMAC.
    ///
    /// - Parameters:
    ///   - id: its identifier, as it was shown.
    ///   - now: milliseconds since 1970.
    ///   - noteUse: told when its use is to be noted: must not block.
    package mutating func find(
        session id: UnsafeRawBufferPointer, now: Int64, noteUse: (_ digest: String, _ now: Timestamp) -> Void
    ) -> Found {
        // Another digest than that of a key of the same text.
        var digest = KeyedDigest(key)
        digest.update(byte: 0)
        digest.update(id)
        let value = digest.finish()
        let known = Digest(low: value.low, high: value.high)
        if let found = caller(of: known, now) { return found }
        guard id.count == Self.sessionLength, let record = sessions.records[digests.sessionDigest(of: Array(id))],
            let user = users.record(record.user, revision: record.revision),
            record.end.millisecondsSinceEpoch > now
        else { return .unknown }
        // Looked at again when its use is to be noted, and then once it was.
        let next = record.usedAt.millisecondsSinceEpoch + SessionRecord.notedMilliseconds
        if next <= now { noteUse(record.digest, Timestamp(millisecondsSinceEpoch: now)) }
        let until = next > now ? next : now + SessionRecord.notedMilliseconds
        return enter(
            Entry(
                caller: user.caller, selector: nil, until: min(until, record.end.millisecondsSinceEpoch)), known, now)
    }

    /// Characters of an identifier: 256 bits.
    private static let sessionLength = 43
}
