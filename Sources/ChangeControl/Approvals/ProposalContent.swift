import DynamoModel
import FlagCore
import FlagStore
import JSON

/// What a proposal is about in full: kept beside it, since it may be large.
package struct ProposalContent: Sendable {
    /// What is to be done.
    package let change: PlannedChange
    /// What there was when it was proposed; nil where there was nothing.
    package let seen: JSONValue?
    /// What would differ afterwards.
    package let difference: JSONPatch

    /// The parts, each an item.
    private enum Part: String, CaseIterable {
        case operation = "OPERATION"
        case seen = "SEEN"
        case difference = "DIFFERENCE"
    }

    /// Bytes of the JSON text of a part, at most: what an item may have.
    static let partBytesMaximum = 390 * 1024
    private static let documentName: AttributeName = "document"

    /// The keys of its items.
    static func keys(_ id: String, in environment: Environment) -> [TableKey] {
        Part.allCases.map { part in
            TableKey(.string(ChangeControlTable.proposed(environment)), .string("\(id)#\(part.rawValue)"))
        }
    }

    /// Its items; nil where a part has more bytes than an item may.
    func items(_ id: String) -> [Item]? {
        let texts = [
            JSONValue.object(change.json).serialized(), (seen ?? .null).serialized(), difference.json.serialized(),
        ]
        guard texts.allSatisfy({ $0.utf8.count <= Self.partBytesMaximum }) else { return nil }
        return zip(Self.keys(id, in: change.environment), texts).map { key, text in
            var item: Item = [ChangeControlTable.partition: key.partition, Self.documentName: .string(text)]
            item[ChangeControlTable.sort] = key.sort
            return item
        }
    }

    /// Reads what `items` wrote, in the order of the keys; nil when it is something else.
    init?(_ items: [Item?]) {
        let parts = items.map { item in
            item?[Self.documentName]?.stringValue.flatMap { try? JSONValue(parsing: $0) }
        }
        guard parts.count == Part.allCases.count, let change = parts[0]?.objectValue.flatMap({ PlannedChange($0) }),
            let seen = parts[1], let difference = parts[2].flatMap({ try? JSONPatch(json: $0) })
        else { return nil }
        self.init(change, seen: seen.isNull ? nil : seen, difference: difference)
    }

    /// These parts.
    init(_ change: PlannedChange, seen: JSONValue?, difference: JSONPatch) {
        self.change = change
        self.seen = seen
        self.difference = difference
    }
}
