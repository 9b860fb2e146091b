/// When to look at which slot again: a hashed wheel of lists, O(1) to set and clear.
///
/// Times beyond its horizon are parked at the horizon; whoever is called back too early sets the time again.
struct TimerWheel: ~Copyable {
    /// Milliseconds from one bucket to the next: how late a call may be.
    static let tick: Int64 = 16
    private static let buckets = 2048
    private static let horizon = tick * Int64(buckets - 1)

    private struct Link {
        var previous: Int32 = -1
        var next: Int32 = -1
        /// The list it is in; -1 when it is in none.
        var bucket: Int32 = -1
        /// When it is due; `max` when it is in no list.
        var time = Int64.max
    }

    private var links: UnsafeMutablePointer<Link>
    private var capacity: Int
    private let heads: UnsafeMutablePointer<Int32>
    /// A bit for each bucket that is not empty.
    private let occupied: UnsafeMutablePointer<UInt64>
    /// Everything due up to this tick was called back.
    private var current: Int64
    /// Not later than any time that is set; `max` when none is.
    private(set) var earliest = Int64.max

    /// An empty wheel.
    ///
    /// - Parameter now: The time, in milliseconds of a monotonic clock.
    init(now: Int64) {
        capacity = 128
        links = .allocate(capacity: capacity)
        links.initialize(repeating: Link(), count: capacity)
        heads = .allocate(capacity: TimerWheel.buckets)
        heads.initialize(repeating: -1, count: TimerWheel.buckets)
        occupied = .allocate(capacity: TimerWheel.buckets / 64)
        occupied.initialize(repeating: 0, count: TimerWheel.buckets / 64)
        current = now / TimerWheel.tick
    }

    deinit {
        links.deallocate()
        heads.deallocate()
        occupied.deallocate()
    }

    /// Makes sure that `slot` is called back at `time` or earlier. Costs nothing when it will be anyway: callers look
    /// at the true deadline when called, and a deadline that moves on with every request never touches the wheel.
    @inline(__always)
    mutating func ensure(_ slot: UInt32, by time: Int64) {
        if Int(slot) >= capacity || time < links[Int(slot)].time { set(slot, time) }
    }

    /// Forgets `slot`.
    mutating func clear(_ slot: UInt32) {
        if Int(slot) < capacity { unlink(Int(slot)) }
    }

    /// Takes every slot that is due out of the wheel.
    ///
    /// - Parameters:
    ///   - now: The time.
    ///   - due: Receives the slots.
    /// - Complexity: O(ticks since the last call, at most one turn, + slots due).
    mutating func advance(to now: Int64, into due: inout [UInt32]) {
        let target = now / TimerWheel.tick
        guard target > current else { return }
        let steps = min(target - current, Int64(TimerWheel.buckets))
        for step in 1...steps { drain(bucket: TimerWheel.bucket(target - steps + step), into: &due) }
        current = target
        earliest = nextOccupied()
    }

    private static func bucket(_ tick: Int64) -> Int { Int(tick) & (buckets - 1) }

    private mutating func drain(bucket: Int, into due: inout [UInt32]) {
        while heads[bucket] >= 0 {
            due.append(UInt32(heads[bucket]))
            unlink(Int(heads[bucket]))
        }
    }

    @inline(never)
    private mutating func set(_ slot: UInt32, _ time: Int64) {
        let slot = Int(slot)
        if slot >= capacity { grow(toHold: slot) }
        unlink(slot)
        // Rounded up, so that a call is never early; at least one tick ahead, so that it is not missed.
        let dueTick = min(time, current * TimerWheel.tick + TimerWheel.horizon)
        let tick = max(current + 1, (dueTick + TimerWheel.tick - 1) / TimerWheel.tick)
        let bucket = TimerWheel.bucket(tick)
        let next = heads[bucket]
        links[slot] = Link(previous: -1, next: next, bucket: Int32(bucket), time: dueTick)
        if next >= 0 { links[Int(next)].previous = Int32(slot) }
        heads[bucket] = Int32(slot)
        occupied[bucket / 64] |= 1 << UInt64(bucket % 64)
        earliest = min(earliest, tick * TimerWheel.tick)
    }

    private mutating func unlink(_ slot: Int) {
        let link = links[slot]
        guard link.bucket >= 0 else { return }
        let bucket = Int(link.bucket)
        if link.previous >= 0 { links[Int(link.previous)].next = link.next } else { heads[bucket] = link.next }
        if link.next >= 0 { links[Int(link.next)].previous = link.previous }
        if heads[bucket] < 0 { occupied[bucket / 64] &= ~(1 << UInt64(bucket % 64)) }
        links[slot] = Link()
    }

    private mutating func grow(toHold slot: Int) {
        let larger = max(capacity * 2, slot + 1)
        let grown = UnsafeMutablePointer<Link>.allocate(capacity: larger)
        grown.initialize(from: links, count: capacity)
        (grown + capacity).initialize(repeating: Link(), count: larger - capacity)
        links.deallocate()
        links = grown
        capacity = larger
    }

    /// The first tick from now whose bucket is not empty, in milliseconds; `max` when all are empty.
    private func nextOccupied() -> Int64 {
        var offset: Int64 = 1
        while offset <= Int64(TimerWheel.buckets) {
            let bucket = TimerWheel.bucket(current + offset)
            let word = occupied[bucket / 64] >> UInt64(bucket % 64)
            if word != 0 { return (current + offset + Int64(word.trailingZeroBitCount)) * TimerWheel.tick }
            offset += Int64(64 - bucket % 64)
        }
        return .max
    }
}
