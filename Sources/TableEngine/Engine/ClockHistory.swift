import DynamoModel
import SQLite

/// A jump of the wall clock between two changes of the stream.
package struct ClockJump: Sendable, Equatable {
    /// The last change before it.
    package let after: Int64
    /// The time that the clock would have shown without it, in milliseconds since 1970. Where nobody saw the jump, the
    /// time of the last change.
    package let from: Int64
    /// The time that it showed afterwards.
    package let to: Int64
    /// Whether a process has seen it. Between two processes a clock may have been set, or time has passed.
    var isSeen = true

    /// How far the clock was set forward, as far as is known; less than 0 when it was set back.
    var distance: Int64 { isSeen ? to &- from : min(0, to &- from) }
}

/// The jumps of the wall clock in the life of a store, in the order of the changes between which they happened.
///
/// Changes are ordered by their sequence. The time of each is what the clock showed: from one jump to the next times do
/// not run backwards, over a jump they may. A jump is stored with the first change behind it.
struct ClockHistory: Sendable, Equatable {
    /// The jumps, by `after`.
    private(set) var jumps: [ClockJump] = []

    /// By how much times may be set back, in milliseconds, and still be one moment for whoever names a time.
    static let toleranceMilliseconds: Int64 = 1000

    /// Notes a jump behind all others.
    mutating func append(_ jump: ClockJump) { jumps.append(jump) }

    /// Forgets the jumps before a change, of which everything is gone that needs them.
    mutating func forget(before sequence: Int64) { jumps.removeAll { $0.after < sequence } }

    /// The time at which a change was committed, as the clock that runs since the last jump would have shown it.
    func inPresentTime(_ time: Int64, of sequence: Int64) -> Int64 {
        jumps.reduce(time) { $1.after >= sequence ? $0 &+ $1.distance : $0 }
    }

    /// A time at which something was made that contains the changes up to one, as the clock that runs since the last
    /// jump would have shown it. A jump at that place may have been before or after: the later time is answered.
    func inPresentTime(_ time: Int64, behind sequence: Int64) -> Int64 {
        jumps.reduce(time) { sum, jump in
            jump.after > sequence
                ? sum &+ jump.distance : jump.after == sequence ? sum &+ max(0, jump.distance) : sum
        }
    }
}

// MARK: - Moments

/// Which changes were committed when the clock showed a time.
struct Moment: Sendable, Equatable {
    /// All changes up to this one were, whatever their times are.
    let wholeUpTo: Int64
    /// No change behind this one was.
    let last: Int64
    /// Of those between, the ones of this time and before, in milliseconds since 1970.
    let time: Int64

    /// Every change there is.
    static let latest = Moment(wholeUpTo: .max, last: .max, time: .max)

    /// Whether a change belongs to it.
    func takes(_ sequence: Int64, at committedAt: Int64) -> Bool {
        sequence <= wholeUpTo || (sequence <= last && committedAt <= time)
    }
}

extension ClockHistory {
    /// The moments at which the clock showed a time, the earliest first; at least one. Where it was set back over that
    /// time there are several; where it leapt over it, the moment is that of the leap.
    func moments(at time: Int64) -> [Moment] {
        let begun = (0...jumps.count).filter { start($0) <= time }
        var shown: [Int] = []
        for span in begun where time <= end(span).time {
            // Set back by a little, it is one moment for whoever names a time: the last of it.
            if let last = shown.last, !jumps[last..<span].contains(where: { $0.distance < -Self.toleranceMilliseconds })
            {
                shown.removeLast()
            }
            shown.append(span)
        }
        return (shown.isEmpty ? begun.suffix(1) : shown[...]).map { span in
            Moment(wholeUpTo: span == 0 ? -1 : jumps[span - 1].after, last: end(span).last, time: time)
        }
    }

    /// The times that the clock has shown behind a change: up to each jump, and from there on.
    ///
    /// - Returns: the spans in the order of the changes; the last one has no end.
    func spans(behind sequence: Int64) -> [(from: Int64, to: Int64)] {
        (0...jumps.count).filter { end($0).last > sequence }.map { (start($0), end($0).time) }
    }

    /// The jump that ends the span of a moment; nil for the present one.
    func jump(behind moment: Moment) -> ClockJump? { jumps.first { $0.after == moment.last } }

    private func start(_ span: Int) -> Int64 { span == 0 ? .min : jumps[span - 1].to }

    private func end(_ span: Int) -> (last: Int64, time: Int64) {
        span < jumps.count ? (jumps[span].after, jumps[span].from) : (.max, .max)
    }
}

// MARK: - In the file

extension ClockHistory {
    /// The settings that hold jumps begin with this, and go on with the change before each.
    private static let prefix = "clock-jump."
    private static let unseen = " unseen"

    /// Reads the jumps that a file knows of.
    init(_ connection: DatabaseConnection) throws(SQLiteError) {
        for (name, value) in try StoreFile.settings(connection, prefix: Self.prefix) {
            let numbers = value.split(separator: " ").compactMap { Int64($0) }
            guard let after = Int64(name.dropFirst(Self.prefix.utf8.count)), numbers.count == 2 else { continue }
            let isSeen = !value.hasSuffix(Self.unseen)
            jumps.append(ClockJump(after: after, from: numbers[0], to: numbers[1], isSeen: isSeen))
        }
        jumps.sort { $0.after < $1.after }
    }

    /// Stores a jump, in the caller's transaction.
    static func store(_ jump: ClockJump, _ connection: DatabaseConnection) throws(SQLiteError) {
        try StoreFile.set(
            connection, prefix + String(jump.after), to: "\(jump.from) \(jump.to)\(jump.isSeen ? "" : unseen)")
    }

    /// Removes a jump, in the caller's transaction.
    static func remove(_ jump: ClockJump, _ connection: DatabaseConnection) throws(SQLiteError) {
        try StoreFile.removeSetting(connection, prefix + String(jump.after))
    }
}
