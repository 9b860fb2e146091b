/// Has whoever tries passwords wait longer and longer, and keeps nobody out.
///
/// How long a wait is grows with the failures of the account and of the address; from when it counts is the last
/// failure from one's own address, never another's. So a stranger cannot keep an account closed: however many they
/// try, the first try from an address is let through at once, and the longest wait is 30 s. An address from which
/// somebody has signed in to an account before waits for the failures of that account from that address alone.
///
/// Failures are forgotten by half every 10 minutes. Whatever is tried, it takes the same memory: tables of fixed size,
/// whose places go to whoever came last. Not for several threads.
package struct LoginDelay: Sendable {
    /// A try: which account is asked for, and from where.
    package struct Attempt: Sendable, Hashable {
        /// The name that was given, of an account or not.
        package let user: String
        /// What the address is counted by; nil for the machine itself.
        package let address: UInt64?

        /// A try.
        package init(user: String, address: UInt64?) {
            self.user = user
            self.address = address
        }
    }

    /// Places of each table: far more than are in use at a time.
    private static let places = 4096
    /// How long failures count in full.
    private static let halfLifeMicroseconds: Int64 = 600_000_000
    /// How long an address is known by which somebody signed in.
    private static let knownMicroseconds: Int64 = 30 * 86_400_000_000
    /// Failures of an account or of a pair that cost nothing: people mistype.
    private static let freeOfAccount = 3
    /// Wrong codes of an account that cost nothing.
    private static let freeOfCodes = 5
    /// Those of an address, which many people may share.
    private static let freeOfAddress = 10
    /// The longest wait.
    package static let longestSeconds = 30

    private var pairs = Table(places: places)
    private var users = Table(places: places)
    private var addresses = Table(places: places)
    /// Codes that were wrong behind a password that was right, by account.
    private var codes = Table(places: places)
    /// The pairs that have signed in.
    private var known = Table(places: places)

    /// Nobody has tried anything.
    package init() {}

    /// In how many seconds a try is worth making, rounded up; 0 when it may be made now.
    ///
    /// - Parameter now: microseconds of a clock that is never set.
    package func wait(_ attempt: Attempt, now: Int64) -> Int {
        let pair = pairs[Self.number(attempt)]
        let own = Self.left(Self.seconds(pair.count(at: now), Self.freeOfAccount), since: pair.last, now)
        if isKnown(attempt, now) { return own }
        let user = users[Self.number(attempt.user)]
        // Whoever has not failed at the account yet is looked at, whatever others do.
        let ofUser = pair.failures == 0 ? 0 : Self.seconds(user.count(at: now), Self.freeOfAccount)
        let address = addresses[Self.number(attempt.address)]
        let ofAddress = Self.left(
            Self.seconds(address.count(at: now), Self.freeOfAddress), since: address.last, now)
        return max(own, Self.left(ofUser, since: pair.last, now), ofAddress)
    }

    /// Counts a try that failed.
    package mutating func noteFailure(_ attempt: Attempt, now: Int64) {
        pairs.add(Self.number(attempt), now)
        users.add(Self.number(attempt.user), now)
        // The machine itself is not held to what is tried on it: whoever is there may read the store.
        if attempt.address != nil { addresses.add(Self.number(attempt.address), now) }
    }

    /// Notes a try that succeeded: from there the account is reached whatever strangers do.
    package mutating func noteSuccess(_ attempt: Attempt, now: Int64) {
        pairs.clear(Self.number(attempt))
        known.add(Self.number(attempt), now)
    }

    /// Whether a code is not looked at, since too many were wrong for the account a moment ago; never from where its
    /// person has signed in before.
    package func holdsCodes(_ attempt: Attempt, now: Int64) -> Bool {
        if isKnown(attempt, now) { return false }
        let place = codes[Self.number(attempt.user)]
        return Self.left(Self.seconds(place.count(at: now), Self.freeOfCodes), since: place.last, now) > 0
    }

    /// Counts a code that was wrong, or not looked at, behind a password that was right.
    package mutating func noteWrongCode(_ attempt: Attempt, now: Int64) { codes.add(Self.number(attempt.user), now) }

    /// How many bytes the tables have.
    package var memoryBytes: Int {
        (pairs.count + users.count + addresses.count + known.count + codes.count) * Table.placeBytes
    }

    /// Whether somebody has signed in to the account from the address in the last 30 days.
    package func isKnown(_ attempt: Attempt, _ now: Int64) -> Bool {
        let place = known[Self.number(attempt)]
        return place.failures > 0 && now - place.last < Self.knownMicroseconds
    }

    /// How long a wait is after so many failures: 1 s, 2 s, 4 s and so on behind those that are free.
    private static func seconds(_ failures: Int, _ free: Int) -> Int {
        failures < free ? 0 : min(longestSeconds, 1 << min(failures - free, 5))
    }

    private static func left(_ seconds: Int, since last: Int64, _ now: Int64) -> Int {
        let microseconds = last + Int64(seconds) * 1_000_000 - now
        return seconds == 0 || microseconds <= 0 ? 0 : Int((microseconds + 999_999) / 1_000_000)
    }

    /// A number by a key that is new in each process.
    private static func number(_ value: some Hashable) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(value)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    /// Counts by number in a fixed number of places. A number that meets another in its place begins anew.
    private struct Table {
        struct Place {
            var number: UInt64 = 0
            /// Failures as of the last one.
            var failures = 0
            var last: Int64 = 0

            /// How many are left of the failures.
            func count(at now: Int64) -> Int {
                let halves = (now - last) / LoginDelay.halfLifeMicroseconds
                return halves >= 63 ? 0 : failures >> Int(max(0, halves))
            }
        }

        static let placeBytes = MemoryLayout<Place>.stride

        private let most: Int
        /// Empty until it is needed.
        private var places: [Place] = []

        init(places most: Int) { self.most = most }

        var count: Int { places.count }

        subscript(number: UInt64) -> Place {
            guard !places.isEmpty else { return Place(number: number) }
            let place = places[Int(number % UInt64(most))]
            return place.number == number ? place : Place(number: number)
        }

        mutating func add(_ number: UInt64, _ now: Int64) {
            if places.isEmpty { places = Array(repeating: Place(), count: most) }
            var place = self[number]
            place.failures = min(place.count(at: now) + 1, 1 << 20)
            place.last = now
            places[Int(number % UInt64(most))] = place
        }

        mutating func clear(_ number: UInt64) {
            guard !places.isEmpty, self[number].failures > 0 else { return }
            places[Int(number % UInt64(most))] = Place()
        }
    }
}
