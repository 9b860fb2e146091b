import CAllocations
import FlagCache
import FlagCore
import FlagStore
import Glibc
import JSON

// Measures evaluations, nothing around them: no socket, no cache, no answer written.
//
//     evaluation-bench CASE REPETITIONS < INPUT
//
// INPUT is {"flags": a flagd file, "context": …, "request": …}; CASE a flag's key, "parse" for the request, "bulk:N"
// for the first N flags whose keys begin with "bulk-", "spend:KEY" for a flag that is evaluated until a request may
// take no more steps, or "segment:N" for a flag that is on for a segment of the keys user-0 to user-N. Prints
// nanoseconds and allocations per repetition.

/// All of standard input.
func readInput() -> [UInt8] {
    var input: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = read(STDIN_FILENO, &buffer, buffer.count)
        guard count > 0 else { return input }
        input += buffer[..<count]
    }
}

func nanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Runs `body` so often, warm, and prints what it took.
func measure(_ repetitions: Int, _ body: () -> Int) {
    var sum = 0
    for _ in 0..<min(repetitions, 1_000) { sum &+= body() }
    let allocations = allocation_count()
    let start = nanoseconds()
    for _ in 0..<repetitions { sum &+= body() }
    let time = nanoseconds() - start
    let allocated = allocation_count() - allocations
    print(#"{"nanoseconds":\#(Double(time) / Double(repetitions)),"#, terminator: "")
    print(#""allocations":\#(Double(allocated) / Double(repetitions)),"sum":\#(sum)}"#)
}

/// A single segment, whatever it is called.
final class OneSegment: EvaluationSurroundings {
    let segment: CompiledSegment

    init(keys: Int) {
        let keys = LoopSegmentKeys(listing: (0..<keys).map { "user-\($0)" })
        segment = CompiledSegment(name: "segment", condition: nil, keys: keys, fractional: .v3)
    }

    func requiredFlag(_ key: UnsafeRawBufferPointer) -> RequiredFlag? { nil }
    func segment(_ name: UnsafeRawBufferPointer) -> CompiledSegment? { segment }
}

/// Measures a flag that is on for those who are listed in a segment.
func measureSegment(keys: Int, _ repetitions: Int, _ context: EvaluationContext, _ now: Timestamp) throws {
    let flag = CompiledFlag(
        key: "flag",
        definition: try FlagDefinition(validating: [
            "state": "ENABLED", "variants": ["on": true, "off": false], "defaultVariant": "off",
            "targeting": ["if": [["segment": "segment"], "on", "off"]],
        ]), fractional: .v3)
    let surroundings = OneSegment(keys: keys)
    measure(repetitions) {
        var run = EvaluationRun(now: now, surroundings: surroundings)
        return flag.evaluate(context, killSwitch: nil, override: nil, in: &run).variant ?? -1
    }
}

/// Measures what a request takes at most whose every flag is `flag`.
func measureSpending(_ flag: CompiledFlag, _ repetitions: Int, _ context: EvaluationContext, _ now: Timestamp) {
    measure(repetitions) {
        var run = EvaluationRun(now: now)
        var evaluations = 0
        while run.remainingSteps > 0, evaluations < 10_000 {
            _ = flag.evaluate(context, killSwitch: nil, override: nil, in: &run)
            evaluations += 1
        }
        return evaluations
    }
}

func run() throws {
    let name = CommandLine.arguments[1]
    let repetitions = Int(CommandLine.arguments[2]) ?? 1
    let input = try JSONValue(parsing: readInput())
    let request = (input["request"] ?? .null).serializedBytes()
    let context = try JSONDocument(parsing: (input["context"] ?? .null).serializedBytes())
    let now = Timestamp(millisecondsSinceEpoch: 1_790_000_000_000)
    if name == "parse" {
        let tape = JSONTape()
        return request.withUnsafeBytes { request in
            measure(repetitions) {
                do { try tape.parse(request) } catch { return -1 }
                return tape.root.count
            }
        }
    }
    let attributes = EvaluationContext(attributes: context.root)
    if name.hasPrefix("segment:") {
        return try measureSegment(keys: Int(name.dropFirst(8)) ?? 0, repetitions, attributes, now)
    }
    let document = try FlagdDocument(input["flags"] ?? .null)
    let isBulk = name.hasPrefix("bulk:")
    let isSpending = name.hasPrefix("spend:")
    let key = isSpending ? String(name.dropFirst(6)) : name
    let wanted = document.flags.filter { isBulk ? $0.key.hasPrefix("bulk-") : $0.key == key }
    let flags = try wanted.prefix(isBulk ? Int(name.dropFirst(5)) ?? 0 : 1).map { flag in
        CompiledFlag(key: flag.key, definition: try flag.checked.get(), fractional: .v3)
    }
    precondition(!flags.isEmpty, "There is no flag \(name)")
    if isSpending {
        measureSpending(flags[0], repetitions, attributes, now)
    } else if isBulk {
        measure(repetitions) {
            var run = EvaluationRun(now: now)
            var sum = 0
            for flag in flags {
                sum &+= flag.evaluate(attributes, killSwitch: nil, override: nil, in: &run).variant ?? 0
            }
            return sum
        }
    } else {
        let flag = flags[0]
        measure(repetitions) {
            flag.evaluate(attributes, killSwitch: nil, override: nil, now: now).variant ?? -1
        }
    }
}

try run()
