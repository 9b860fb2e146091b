import DynamoModel
import FlagCore
import JSON

/// What items say, as the interface shows it: members by name, what is stored as JSON text as the value that it spells.
/// Every item has such a document, valid or not.
package enum ItemDocument {
    /// The changes of content from one item to another, nil where there is none, and how many more there are.
    static func changes(from old: Item?, to new: Item?) -> ValueChanges {
        changes(from: old, to: new, in: differingNames(from: old, to: new))
    }

    /// The same of the attributes that differ.
    static func changes(from old: Item?, to new: Item?, in differing: [AttributeName]) -> ValueChanges {
        // Only what differs is read: a definition may be large, and is the same when an owner changes.
        ValueChanges(from: old.map { json($0, differing) }, to: new.map { json($0, differing) })
    }

    /// The names of the attributes of content that differ, sorted; all when there is nothing on one side.
    static func differingNames(from old: Item?, to new: Item?) -> [AttributeName] {
        let (old, new) = (old ?? [:], new ?? [:])
        var names: [AttributeName] = []
        for (name, value) in new where old[name] != value && isContent(name) { names.append(name) }
        for (name, _) in old where new[name] == nil && isContent(name) { names.append(name) }
        return names.sorted { $0.precedes($1) }
    }

    /// What an item of the flag table says, with the version that it is of.
    ///
    /// - Parameter derived: whether what follows from the rest is told, too.
    package static func document(of item: Item, derived: Bool = false) -> JSONValue {
        let names = item.keys.filter { name in
            derived ? !keys.contains(name) : isContent(name) || name == Attribute.version
        }
        return json(item, names.sorted { $0.precedes($1) })
    }

    private static func isContent(_ name: AttributeName) -> Bool {
        !DerivedAttributes.names.contains(name) && !keys.contains(name)
    }

    private static let keys: Set = [Attribute.partition, Attribute.sort]
    /// Attributes whose text is JSON, unless somebody has written something else.
    private static let texts: Set = [Attribute.rollout, Attribute.requires, Attribute.condition]
    /// What an attribute says by not being there, told where the item on the other side of a change has it.
    private static let absent: Item = [Attribute.clientSide: false, Attribute.approvals: 0]

    /// - Parameter names: sorted.
    private static func json(_ item: Item, _ names: [AttributeName]) -> JSONValue {
        var object = JSONObject()
        for name in names {
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
