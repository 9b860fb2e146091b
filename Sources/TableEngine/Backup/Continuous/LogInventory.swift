import DynamoModel
import JSON
import SQLite

/// The files that a life of a log should have, and what is known to be damaged of them: kept in the file of the store,
/// so that a file which somebody removed is missed.
///
/// It is stored after a file was begun, and before one is removed: files that it does not know are either newer than
/// all that it knows, or about to be removed.
struct LogInventory: Sendable, Equatable {
    /// A base or a segment.
    struct File: Sendable, Equatable {
        /// How long it is; nil for a segment that is being written.
        var bytes: Int?
        /// Of a base, when it was made; of a segment, when the last change before it was committed. In milliseconds
        /// since 1970.
        var time: Int64
        /// Whether it is damaged, which is told of: it is kept aside, or gone.
        var isDamaged = false
    }

    /// Damage of a base or a segment.
    struct Damage: Sendable, Equatable {
        /// The file.
        let file: LogFileName
        /// Where in it; nil for the whole file.
        let byte: Int?
        /// What is wrong.
        let reason: String
        /// The last change before it, and when that was committed. For a base, the last one in it and when it was made.
        let after: Int64
        let since: Int64
        /// The last change that may be missing from the log for it; `after` when none is.
        let upTo: Int64

        /// Whether changes may be missing for it.
        var isGap: Bool { upTo > after }
    }

    var files: [LogFileName: File] = [:]
    var damages: [Damage] = []

    /// The bases, the oldest first.
    var bases: [LogFileName] { files.keys.filter { $0.kind == .base }.sorted() }
    /// The segments, the oldest first.
    var segments: [LogFileName] { files.keys.filter { $0.kind == .segment }.sorted() }
    /// The ranges of changes that are missing from the log.
    var gaps: [Damage] { damages.filter(\.isGap) }
}

/// The name of a file of a log.
struct LogFileName: Sendable, Hashable, Comparable {
    enum Kind: String, Sendable {
        case base = "base-"
        case segment = "log-"
    }

    let kind: Kind
    /// The last change in a base, or before a segment.
    let sequence: Int64

    init(_ kind: Kind, _ sequence: Int64) {
        self.kind = kind
        self.sequence = sequence
    }

    /// Reads a name; nil when it is none of a log.
    init?(_ name: some StringProtocol) {
        guard let kind = [Kind.base, .segment].first(where: { name.hasPrefix($0.rawValue) }),
            let end = name.firstIndex(of: "."),
            let sequence = Int64(name[..<end].dropFirst(kind.rawValue.utf8.count)), sequence >= 0
        else { return nil }
        self.init(kind, sequence)
        guard name == text || name == aside else { return nil }
    }

    /// The name as long as nothing is wrong with the file.
    var text: String { stem + (kind == .base ? ".image" : ".log") }
    /// The name under which it is kept when it is damaged.
    var aside: String { stem + ".damaged" }

    private var stem: String {
        let digits = String(sequence)
        return kind.rawValue + String(repeating: "0", count: max(0, 20 - digits.utf8.count)) + digits
    }

    static func < (left: LogFileName, right: LogFileName) -> Bool { left.sequence < right.sequence }
}

// MARK: - In the file of the store

extension LogInventory {
    /// The setting that holds the inventory of a life.
    static func setting(_ life: String) -> String { "continuous-files.\(life)" }

    /// The inventory of a life; nil when there is none, as of one that an earlier version of this program has begun.
    static func read(_ life: String, _ connection: DatabaseConnection) throws(SQLiteError) -> LogInventory? {
        try StoreFile.setting(connection, setting(life)).flatMap { LogInventory(text: $0) }
    }

    /// Stores it, in the caller's transaction.
    func store(_ life: String, _ connection: DatabaseConnection) throws(SQLiteError) {
        try StoreFile.set(connection, Self.setting(life), to: text)
    }

    var text: String {
        func number(_ number: Int64) -> JSONValue { .number(JSONNumber(number)) }
        let files = self.files.sorted { $0.key.text.precedes($1.key.text) }.map { name, file in
            JSONValue.array([
                .string(name.text), file.bytes.map { number(Int64($0)) } ?? .null, number(file.time),
                .bool(file.isDamaged),
            ])
        }
        let damages = self.damages.map { damage in
            JSONValue.array([
                .string(damage.file.text), damage.byte.map { number(Int64($0)) } ?? .null, .string(damage.reason),
                number(damage.after), number(damage.since), number(damage.upTo),
            ])
        }
        return JSONValue.object(["files": .array(files), "damages": .array(damages)]).serialized()
    }

    /// Reads what `text` writes; nil when it is something else.
    init?(text: String) {
        guard let value = try? JSONValue(parsing: text), let files = value["files"]?.arrayValue,
            let damages = value["damages"]?.arrayValue
        else { return nil }
        func number(_ value: JSONValue) -> Int64? { value.numberValue?.int64 }
        for file in files.compactMap(\.arrayValue) where file.count == 4 {
            guard let name = file[0].stringValue.flatMap({ LogFileName($0) }), let time = number(file[2]),
                let isDamaged = file[3].boolValue
            else { return nil }
            self.files[name] = File(bytes: number(file[1]).map { Int($0) }, time: time, isDamaged: isDamaged)
        }
        for damage in damages.compactMap(\.arrayValue) where damage.count == 6 {
            guard let name = damage[0].stringValue.flatMap({ LogFileName($0) }), let reason = damage[2].stringValue,
                let after = number(damage[3]), let since = number(damage[4]), let upTo = number(damage[5])
            else { return nil }
            self.damages.append(
                Damage(
                    file: name, byte: number(damage[1]).map { Int($0) }, reason: reason, after: after, since: since,
                    upTo: upTo))
        }
    }
}
