import DynamoModel
import Glibc

/// Measures the table engine without a socket; `./scripts/bench table` starts it.
///
///     TableBench load DIRECTORY ITEMS      makes a store with a table of so many items
///     TableBench read DIRECTORY ITEMS      reads it
///     TableBench write DIRECTORY SECONDS   puts items into another table of it
///     TableBench encrypted DIRECTORY SECONDS   puts items into an encrypted store and into one that is not, in turns
///     TableBench sqlite DIRECTORY ITEMS    does the same with SQLite alone
///     TableBench audit DIRECTORY SECONDS   changes flags with and without history and audit log
///     TableBench pages DIRECTORY RECORDS   reads pages of an audit log of so many records
///
/// Figures are one line of JSON on standard output.
@main
enum TableBench {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let number = Int(arguments[3]), number > 0 else {
            refuse("usage: TableBench load|read|write|encrypted|sqlite|audit|pages DIRECTORY NUMBER")
        }
        let directory = arguments[2]
        switch arguments[1] {
        case "load": print(try EngineBench(directory).load(number))
        case "read": print(try EngineBench(directory).read(number))
        case "write": print(try EngineBench(directory).write(seconds: number))
        case "encrypted": print(try EncryptionBench(directory).run(seconds: number))
        case "sqlite": print(try PlainSQLiteBench(directory).run(number))
        case "audit": print(try AuditBench(directory: directory).run(seconds: number))
        case "pages": print(try AuditBench(directory: directory).pages(number))
        default: refuse("There is no case \(arguments[1]).")
        }
    }

    private static func refuse(_ message: String) -> Never {
        _ = (message + "\n").withCString { write(STDERR_FILENO, $0, strlen($0)) }
        exit(64)
    }
}

/// A JSON object of numbers.
struct Figures: CustomStringConvertible {
    private var members: [(String, Double)] = []

    subscript(name: String) -> Double {
        get { members.last { $0.0 == name }?.1 ?? 0 }
        set { members.append((name, newValue)) }
    }

    var description: String {
        "{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
    }
}

/// How many microseconds `body` takes, called `count` times with 0, 1, 2 …: the least of three rounds, since whatever
/// else the machine does only adds.
func microseconds(times count: Int, _ body: (Int) throws -> Void) rethrows -> Double {
    var least = Double.infinity
    for round in 0..<3 {
        let clock = ContinuousClock()
        let started = clock.now
        for number in 0..<count { try body(round * count + number) }
        let parts = (clock.now - started).components
        least = min(least, Double(parts.seconds) * 1e6 + Double(parts.attoseconds) / 1e12)
    }
    return least / Double(count)
}

/// A number below `bound` for each `step`, all over the range and the same in every run.
func scattered(_ step: Int, below bound: Int) -> Int {
    Int((UInt64(bitPattern: Int64(step)) &* 0x9E37_79B9_7F4A_7C15 >> 11) % UInt64(bound))
}
