import Access
import Bytes
import FlagCore
import Tokens

/// The callers that one event loop knows, by what they present: a key that was checked once is known by a keyed digest
/// of its text until the ring changes, and its text is kept nowhere. A token is known in the same way; that its
/// signature is right stays known when the ring changes, and whose it is is looked up anew.
///
/// Used on one loop only, so nothing in it is locked. Whatever is presented, it takes no more memory than its bound.
package struct CallerTable {
    /// What became of something that was presented.
    package enum Found {
        /// A caller, and the place in the table by which they are found again.
        case caller(Caller, Ticket)
        /// It is no key, or none of this server.
        case unknown
        /// The key was good until then.
        case expired(Timestamp)
        /// The secret was replaced, and was good until then.
        case replaced(Timestamp)
        /// The key was revoked.
        case revoked
        /// It is a session, shown for a page of another site, or for nobody knows which.
        case foreignPage
        /// It is a token that does not do.
        case refused(TokenFault)
        /// It is a token whose signature is to be checked elsewhere, and handed to `accept`; then it is found.
        case unchecked(PresentedToken)
    }

    /// A place in the table, good until the ring changes.
    package struct Ticket: Equatable {
        fileprivate let place: UInt32
        fileprivate let generation: UInt32

        /// The ticket in 48 bits.
        package var bits: UInt64 { UInt64(generation & 0xFF_FFFF) << 24 | UInt64(place) }

        /// Reads what `bits` gave.
        package init(bits: UInt64) {
            place = UInt32(truncatingIfNeeded: bits & 0xFF_FFFF)
            generation = UInt32(truncatingIfNeeded: bits >> 24 & 0xFF_FFFF)
        }

        fileprivate init(place: Int, generation: UInt32) {
            self.place = UInt32(truncatingIfNeeded: place)
            self.generation = generation & 0xFF_FFFF
        }
    }

    struct Entry {
        let caller: Caller
        /// The key whose use is told; nil where there is none.
        let selector: String?
        /// When it has to be looked at again, in milliseconds since 1970.
        let until: Int64
        /// The day on which its use was told.
        var toldDay: Int64 = -1
    }

    /// A digest is as good a hash as any: half of it is looked at, and all of it compared.
    package struct Digest: Hashable, Sendable {
        let low: UInt64
        let high: UInt64

        package func hash(into hasher: inout Hasher) { hasher.combine(low) }
    }

    /// More keys than are in use at a time; when there are, all are checked anew.
    static let capacity = 16_384
    private static let dayMilliseconds: Int64 = 86_400_000

    private(set) var ring: KeyRing
    private(set) var users = UserRing()
    private(set) var sessions = SessionRing()
    let digests: SecretDigest
    /// Whose tokens are taken; nil for nobody's.
    let authority: TokenAuthority?
    let key: KeyedDigest.Key
    private let noteUse: @Sendable (_ selector: String, _ day: Timestamp) -> Void
    private var places: [Digest: UInt32] = [:]
    private var entries: [Entry] = []
    /// Tokens whose signatures are right, whoever has them now.
    var checkedTokens: [Digest: CheckedToken] = [:]
    /// On which day each key's use was told, whatever happens to the table.
    private var toldDays: [String: Int64] = [:]
    private var generation: UInt32 = 1

    /// A table that knows nobody yet.
    ///
    /// - Parameters:
    ///   - authority: whose tokens are taken; nil for nobody's.
    ///   - noteUse: told once a day that a key is in use: must not block.
    package init(
        _ ring: KeyRing, _ digests: SecretDigest, tokens authority: TokenAuthority? = nil,
        noteUse: @escaping @Sendable (_ selector: String, _ day: Timestamp) -> Void
    ) {
        self.ring = ring
        self.digests = digests
        self.authority = authority
        self.noteUse = noteUse
        key = KeyedDigest.Key(low: .random(in: 0 ... .max), high: .random(in: 0 ... .max))
    }

    /// Takes other keys: whoever is known is looked at anew.
    package mutating func replace(_ ring: KeyRing) {
        self.ring = ring
        forget()
    }

    /// Takes other accounts: whoever is known is looked at anew.
    package mutating func replace(_ users: UserRing) {
        self.users = users
        forget()
    }

    /// Takes other sessions: where some have ended, whoever is known is looked at anew.
    package mutating func replace(_ sessions: SessionRing) {
        let haveEnded = sessions.endedCount != self.sessions.endedCount
        self.sessions = sessions
        if haveEnded { forget() }
    }

    mutating func forget() {
        places.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
        // Zero is no generation: it stands in requests that showed no key.
        generation = generation % 0xFF_FFFF + 1
    }

    /// Whoever presents a key. O(1), without an allocation for one that is known; else an HMAC.
    ///
    /// - Parameters:
    ///   - text: the key as it was presented.
    ///   - now: milliseconds since 1970.
    package mutating func find(_ text: UnsafeRawBufferPointer, now: Int64) -> Found {
        var digest = KeyedDigest(key)
        digest.update(text)
        let value = digest.finish()
        let known = Digest(low: value.low, high: value.high)
        if let found = caller(of: known, now) { return found }
        if TokenText.isMeant(by: text) { return checkToken(text, known, now) }
        return check(text, known, now)
    }

    /// Whoever is known by a digest; nil for nobody.
    @inline(__always)
    mutating func caller(of known: Digest, _ now: Int64) -> Found? {
        guard let place = places[known], entries[Int(place)].until > now else { return nil }
        tellUse(of: Int(place), now)
        return .caller(entries[Int(place)].caller, Ticket(place: Int(place), generation: generation))
    }

    /// The caller of a ticket; nil when the ring has changed, or the key ended, meanwhile.
    package func caller(_ ticket: Ticket, now: Int64) -> Caller? {
        guard ticket.generation == generation & 0xFF_FFFF, Int(ticket.place) < entries.count else { return nil }
        let entry = entries[Int(ticket.place)]
        return entry.until > now ? entry.caller : nil
    }

    @inline(never)
    private mutating func check(_ text: UnsafeRawBufferPointer, _ known: Digest, _ now: Int64) -> Found {
        guard let presented = KeyText(text), let record = ring.record(presented.selector),
            record.kind == presented.kind
        else { return .unknown }
        let instant = Timestamp(millisecondsSinceEpoch: now)
        let digest = digests.digest(of: presented.secret)
        // All are compared, so that the time does not tell which of them it might be.
        var matching: KeyRecord.Secret?
        for secret in record.secrets where SecretDigest.areEqual(secret.digest, digest) { matching = secret }
        guard let matching else { return .unknown }
        switch record.state(at: instant) {
        case .revoked: return .revoked
        case .expired: return .expired(record.expiresAt ?? instant)
        case .active: break
        }
        let ends = [matching.until, record.expiresAt].compactMap { $0?.millisecondsSinceEpoch }
        let until = ends.min() ?? .max
        guard until > now else { return .replaced(Timestamp(millisecondsSinceEpoch: until)) }
        let caller = record.caller(ring.rate(of: record.selector), until: matching.until)
        return enter(Entry(caller: caller, selector: record.selector, until: until), known, now)
    }

    /// Puts a caller into the table.
    mutating func enter(_ new: Entry, _ known: Digest, _ now: Int64) -> Found {
        if entries.count >= Self.capacity { forget() }
        let place = places[known].map { Int($0) } ?? entries.count
        var entry = new
        // Nobody is told of what has no key.
        entry.toldDay = new.selector.map { toldDays[$0] ?? -1 } ?? now / Self.dayMilliseconds
        if place < entries.count { entries[place] = entry } else { entries.append(entry) }
        places[known] = UInt32(place)
        tellUse(of: place, now)
        return .caller(entry.caller, Ticket(place: place, generation: generation))
    }

    /// Tells once a day that a key is in use.
    @inline(__always)
    private mutating func tellUse(of place: Int, _ now: Int64) {
        let day = now / Self.dayMilliseconds
        guard entries[place].toldDay != day else { return }
        entries[place].toldDay = day
        guard let selector = entries[place].selector else { return }
        if toldDays.count >= Self.capacity { toldDays.removeAll(keepingCapacity: true) }
        toldDays[selector] = day
        noteUse(selector, Timestamp(millisecondsSinceEpoch: now))
    }
}
