import DynamoModel
import FlagCore
import JSON

/// What items say, as the interface shows it: members by name, what is stored as JSON text as the value that it spells.
/// Every item has such a document, valid or not.
package enum ItemDocument {
    /// The changes of content from one item to another, nil where there is none, and how many more there are.
    static func changes(from old: Item?, to new: Item?) -> ValueChanges {
        let names = contentNames(of: old, new)
        // Only what differs is read: a definition may be large, and is the same when an owner changes.
        let differing = old == nil || new == nil ? names : names.filter { old?[$0] != new?[$0] }
        return ValueChanges(from: old.map { json($0, differing) }, to: new.map { json($0, differing) })
    }

    /// The names of the attributes of content that differ, sorted; none when there is nothing on one side.
    static func differingNames(from old: Item?, to new: Item?) -> [String] {
        guard let old, let new else { return [] }
        return contentNames(of: old, new).filter { old[$0] != new[$0] }.map(\.text).sorted()
    }

    /// What an item of the flag table says, with the version that it is of.
    ///
    /// - Parameter derived: whether what follows from the rest is told, too.
    package static func document(of item: Item, derived: Bool = false) -> JSONValue {
        let all = Set(item.keys).subtracting(keys)
        return json(item, derived ? all : all.subtracting(DerivedAttributes.names).union([Attribute.version]))
    }

    private static func contentNames(of old: Item?, _ new: Item?) -> Set<AttributeName> {
        Set((old ?? [:]).keys).union((new ?? [:]).keys).subtracting(DerivedAttributes.names).subtracting(keys)
    }

    private static let keys: Set = [Attribute.partition, Attribute.sort]
    /// Attributes whose text is JSON, unless somebody has written something else.
    private static let texts: Set = [Attribute.rollout, Attribute.requires, Attribute.condition]
    /// What an attribute says by not being there, told where the item on the other side of a change has it.
    private static let absent: Item = [Attribute.clientSide: false, Attribute.approvals: 0]

    private static func json(_ item: Item, _ names: Set<AttributeName>) -> JSONValue {
        var object = JSONObject()
        for name in names.sorted(by: { $0.precedes($1) }) {
            guard let value = item[name] ?? absent[name] else { continue }
            let isText = name == Attribute.definition || texts.contains(name)
            let json = (isText ? value.stringValue.flatMap { try? JSONValue(parsing: $0) } : nil) ?? value.json
            if name == Attribute.definition, case .object(let stored) = json {
                for (member, value) in FlagRule.definition(in: stored).members { object[member] = value }
            } else {
                object[name.text] = json
            }
        }
        return .object(object)
    }
}
