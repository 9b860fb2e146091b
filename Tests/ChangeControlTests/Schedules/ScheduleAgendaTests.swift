import FlagCore
import TestSupport
import Testing

@testable import ChangeControl

@Suite("The agenda of schedules")
struct ScheduleAgendaTests {
    private static let hour: Int64 = 3_600_000

    private static func entry(_ id: String, _ at: Int64, isBegun: Bool = false) -> ScheduleAgenda.Entry {
        ScheduleAgenda.Entry(
            id: id, environment: .development, at: Timestamp(millisecondsSinceEpoch: at), isBegun: isBegun)
    }

    private static func agenda(_ entries: [ScheduleAgenda.Entry]) -> ScheduleAgenda {
        var agenda = ScheduleAgenda(lateMilliseconds: hour)
        for entry in entries { agenda.set(entry.id, entry) }
        return agenda
    }

    /// What is decided at a wall clock and the other one, as `+id` to be applied and `-id` to be skipped.
    private static func look(_ agenda: inout ScheduleAgenda, _ wall: Int64, _ clock: Int64) -> [String] {
        agenda.look(at: Timestamp(millisecondsSinceEpoch: wall), clock).map { decision in
            switch decision {
            case .apply(let entry): "+\(entry.id)"
            case .skip(let entry): "-\(entry.id)"
            }
        }
    }

    @Test("What is due comes in the order of time, and of names at the same time")
    func order() {
        var agenda = Self.agenda([
            Self.entry("c", 300), Self.entry("b", 200), Self.entry("a", 200), Self.entry("d", 400),
        ])
        #expect(Self.look(&agenda, 199, 0).isEmpty)
        #expect(Self.look(&agenda, 200, 1) == ["+a", "+b"])
        #expect(Self.look(&agenda, 350, 2) == ["+a", "+b", "+c"])
        for id in ["a", "b", "c"] { agenda.set(id, nil) }
        #expect(agenda.count == 1 && agenda.next == Timestamp(millisecondsSinceEpoch: 400))
    }

    @Test("What a clock makes due that is set forward is applied, however far that was")
    func forward() {
        var agenda = Self.agenda([Self.entry("a", 1_000), Self.entry("b", 50 * Self.hour)])
        #expect(Self.look(&agenda, 0, 0).isEmpty)
        #expect(Self.look(&agenda, 100 * Self.hour, 500) == ["+a", "+b"])
    }

    @Test("What was due is due no more when the clock is set back, and is again when its time comes again")
    func back() {
        var agenda = Self.agenda([Self.entry("a", 1_000)])
        #expect(Self.look(&agenda, 1_000, 0) == ["+a"])
        #expect(Self.look(&agenda, 0, 500).isEmpty)
        // For as long as that takes: it has not been missed meanwhile.
        #expect(Self.look(&agenda, 900, 5 * Self.hour).isEmpty)
        #expect(Self.look(&agenda, 1_000, 5 * Self.hour + 100) == ["+a"])
    }

    @Test("What became due while nothing ran is applied, or skipped where that was too long ago")
    func stop() {
        var agenda = Self.agenda([Self.entry("a", 0), Self.entry("b", 1), Self.entry("c", Self.hour)])
        #expect(Self.look(&agenda, Self.hour + 1, 77) == ["-a", "+b", "+c"])
    }

    @Test("A machine that slept has missed what was due while it did")
    func sleep() {
        var agenda = Self.agenda([Self.entry("a", 1_000), Self.entry("b", 8 * Self.hour)])
        #expect(Self.look(&agenda, 0, 0).isEmpty)
        #expect(Self.look(&agenda, 8 * Self.hour, 8 * Self.hour) == ["-a", "+b"])
    }

    @Test("What cannot be applied is tried until it is overdue for too long, by the clock that nobody sets")
    func failing() {
        var agenda = Self.agenda([Self.entry("a", 0)])
        #expect(Self.look(&agenda, 0, 0) == ["+a"])
        #expect(Self.look(&agenda, 10 * Self.hour, 1_000) == ["+a"])
        #expect(Self.look(&agenda, 1, Self.hour) == ["+a"])
        #expect(Self.look(&agenda, 2, Self.hour + 1) == ["-a"])
        // Somebody gives it another time.
        agenda.set("a", Self.entry("a", 1))
        #expect(Self.look(&agenda, 3, Self.hour + 2) == ["+a"])
    }

    @Test("What was begun goes on, whatever time it is")
    func begun() {
        var agenda = Self.agenda([Self.entry("a", 9 * Self.hour, isBegun: true), Self.entry("b", 9 * Self.hour)])
        #expect(Self.look(&agenda, 0, 0) == ["+a"])
        #expect(Self.look(&agenda, 90 * Self.hour, 90 * Self.hour) == ["+a", "-b"])
    }

    @Test("It is looked at the wall clock twice a second while something waits, and not at all while nothing does")
    func pause() {
        var agenda = Self.agenda([])
        let zero = Timestamp(millisecondsSinceEpoch: 0)
        #expect(agenda.pause(at: zero) == nil)
        agenda.set("a", Self.entry("a", 100_000))
        #expect(agenda.pause(at: zero) == 500)
        #expect(agenda.pause(at: Timestamp(millisecondsSinceEpoch: 99_900)) == 100)
        #expect(agenda.pause(at: Timestamp(millisecondsSinceEpoch: 100_000)) == 1)
    }

    @Test("Under clocks that jump at random, each is decided once, not before its time, and none is left")
    func random() {
        for seed in 0..<200 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            var times: [String: Int64] = [:]
            for number in 0..<50 { times["s\(number)"] = Int64.random(in: 0...1_000_000, using: &random) }
            var agenda = Self.agenda(times.map { Self.entry($0.key, $0.value) })
            var (wall, clock): (Int64, Int64) = (0, 0)
            var decided: Set<String> = []
            while wall < 1_000_000 || agenda.count > 0 {
                let passed = Int64.random(in: 1...20_000, using: &random)
                clock += passed
                wall += passed
                if Int.random(in: 0..<10, using: &random) == 0 {
                    wall = max(0, wall + Int64.random(in: -300_000...500_000, using: &random))
                }
                for word in Self.look(&agenda, wall, clock) {
                    let id = String(word.dropFirst())
                    #expect(word.hasPrefix("+") && times[id].map { $0 <= wall } ?? false)
                    #expect(decided.insert(id).inserted)
                    agenda.set(id, nil)
                }
                let isDone = times.allSatisfy { $0.value > wall || decided.contains($0.key) }
                #expect(isDone)
            }
            #expect(decided.count == times.count)
        }
    }
}
