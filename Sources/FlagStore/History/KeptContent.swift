import Bytes
import DynamoModel
import FlagCore
import JSON

/// What a flag, an override or a segment said at some time, whole, as an entry of its history keeps it: what a read of
/// it answered, without what follows from its place and its version.
package enum KeptContent: Sendable, Equatable {
    /// It is not kept: the entry makes no version, comes from a former release, or there was no room.
    case none
    /// It is kept, in so many bytes, and was not read.
    case unread(bytes: Int)
    /// It is this.
    case object(JSONObject)

    /// Whether it is kept.
    package var isKept: Bool { self != .none }

    /// What it is; nil where it is not kept or was not read.
    package var object: JSONObject? { if case .object(let object) = self { object } else { nil } }

    /// Bytes from which on it is compressed.
    private static let plainBytes = 512

    /// What a change leaves, or what it takes away.
    ///
    /// - Parameter read: reads an item, or says that it is not valid: then nothing is kept.
    init(_ change: TableChange, _ read: (Item) throws(DefinitionIssues) -> JSONObject) {
        guard let item = change.newItem ?? change.oldItem else {
            self = .none
            return
        }
        do throws(DefinitionIssues) { self = .object(try read(item)) } catch { self = .none }
    }
}

// MARK: - As attributes

extension KeptContent {
    private typealias Name = FlagHistoryTable.Name

    /// Adds the content to an entry's item, where there is room for it.
    func add(to item: inout Item) {
        guard let (value, bytes) = stored else { return }
        item[Name.content] = value
        item[Name.contentBytes] = .number(Int64(bytes))
    }

    /// The content as it is stored, and in how many bytes; nil where nothing is.
    var stored: (value: AttributeValue, bytes: Int)? {
        guard case .object(let object) = self else { return nil }
        let text = JSONValue.object(object).serialized()
        let coded = text.utf8.count > Self.plainBytes ? Deflate.deflated(Array(text.utf8)) : nil
        let bytes = coded?.count ?? text.utf8.count
        guard bytes <= FlagLimits.keptContentBytes else { return nil }
        return (coded.map { .binary($0) } ?? .string(text), bytes)
    }

    /// Reads what `add` wrote.
    init(_ item: Item) {
        if let object = item[Name.content].flatMap(Self.json)?.objectValue {
            self = .object(object)
        } else {
            self = item[Name.contentBytes]?.int64Value.map { .unread(bytes: Int(clamping: $0)) } ?? .none
        }
    }

    private static func json(_ value: AttributeValue) -> JSONValue? {
        switch value {
        case .string(let text): return try? JSONValue(parsing: text)
        case .binary(let coded):
            // What an item says in JSON is a little more than its bytes.
            let bytes = Deflate.inflated(coded, atMost: 4 * FlagLimits.storedFlagBytes)
            return bytes.flatMap { try? JSONValue(parsing: $0) }
        default: return nil
        }
    }
}

// MARK: - Of records

extension JSONObject {
    /// The same without what is known from elsewhere.
    fileprivate func without(_ names: [String]) -> JSONObject {
        var object = self
        for name in names + ["environment", "updatedAt", "version"] { object[name] = nil }
        return object
    }
}

extension FlagRecord {
    /// What the flag says, as a body says it.
    var content: JSONObject {
        let json = json(at: Timestamp(millisecondsSinceEpoch: .min))
        return (json.objectValue ?? JSONObject()).without(["flagKey"])
    }
}

extension TenantOverrideRecord {
    /// What the override says, as a body says it.
    var content: JSONObject { (json.objectValue ?? JSONObject()).without(["flagKey", "tenantId"]) }
}

extension SegmentRecord {
    /// What the segment says beside its keys, as a body says it.
    var content: JSONObject { (json(keyCount: nil).objectValue ?? JSONObject()).without(["name"]) }
}
