import DynamoModel

/// What a file says of the image of a table in it: all but the items.
struct TableImage: Sendable {
    /// Which backup it is; of a base, which table it is a base of.
    let label: Label
    /// When it was made, in milliseconds since 1970.
    let createdAt: Int64
    /// The definition of the table, as the store has it.
    let definition: TableDefinition
    /// The identifier of the table.
    let tableID: String
    /// The last change of the store that is in it.
    let sequence: Int64
    /// When that change was committed, in milliseconds since 1970.
    let committedAt: Int64
    /// How many items there are.
    var itemCount: Int
    /// The bytes of the items, names and values, as DynamoDB counts them.
    let itemBytes: Int64
    /// The tables of the program's own that accompany the table and are in the image too.
    var companions: [Companion] = []
    /// Settings of the store by which the table has to be read.
    var settings: [String: String] = [:]
    /// The data keys that items are encrypted with; nil where none is.
    var keys: KeyRing?

    /// An internal table that accompanies the one of the image.
    struct Companion: Sendable {
        /// What it is, as its name says.
        let kind: String
        /// Its definition, as the store has it.
        let definition: TableDefinition
        /// How many items there are.
        let itemCount: Int
    }

    /// What a backup is called.
    struct Label: Sendable, Equatable {
        let id: String
        let name: String
        let kind: BackupDescription.Kind
    }
}

extension TableImage {
    /// The image as an item.
    var item: Item {
        var item: Item = [
            "id": .string(label.id), "name": .string(label.name), "kind": .string(label.kind.rawValue),
            "createdAt": .number(createdAt), "definition": .map(definition.item),
            "space": .number(Int64(definition.space)), "tableID": .string(tableID), "sequence": .number(sequence),
            "committedAt": .number(committedAt), "itemCount": .number(Int64(itemCount)),
            "itemBytes": .number(itemBytes),
        ]
        if !companions.isEmpty { item["companions"] = .list(companions.map { .map($0.item) }) }
        if !settings.isEmpty { item["settings"] = .map(settings.attributes) }
        if let keys { item["keys"] = .string(keys.text) }
        return item
    }

    /// What numbers may be that a file says: times, places in the change stream, counts.
    static let numbers = 0...Int64.max >> 2

    /// Reads what `item` writes; nil when it is something else.
    init?(item: Item) {
        guard let id = item["id"]?.stringValue, let name = item["name"]?.stringValue,
            let kind = item["kind"]?.stringValue.flatMap(BackupDescription.Kind.init(rawValue:)),
            let createdAt = item["createdAt"]?.int64Value,
            let space = item["space"]?.int64Value.flatMap(UInt32.init(exactly:)),
            let definition = item["definition"]?.mapValue.flatMap({ TableDefinition(item: $0, space: space) }),
            let sequence = item["sequence"]?.int64Value, let committedAt = item["committedAt"]?.int64Value,
            let itemCount = item["itemCount"]?.int64Value, let itemBytes = item["itemBytes"]?.int64Value,
            // What is reckoned with must be such that it can be reckoned with, whoever made the file.
            Self.numbers.contains(createdAt), Self.numbers.contains(committedAt), Self.numbers.contains(sequence),
            Self.numbers.contains(itemCount), Self.numbers.contains(itemBytes),
            let companions = Companion.all(in: item), let settings = storedSettings(item)
        else { return nil }
        let keys = item["keys"]?.stringValue.flatMap(KeyRing.init(text:))
        guard item["keys"] == nil || keys != nil else { return nil }
        self.init(
            label: Label(id: id, name: name, kind: kind), createdAt: createdAt, definition: definition,
            tableID: item["tableID"]?.stringValue ?? "", sequence: sequence, committedAt: committedAt,
            itemCount: Int(itemCount), itemBytes: itemBytes, companions: companions, settings: settings, keys: keys)
    }

    /// Whether the table is, or was, one of the store that had this identifier first.
    func isOfStore(_ originID: String) -> Bool { tableID == definition.id(in: originID) }

    /// The image as a backup of a file of this size.
    ///
    /// - Parameter id: its identifier; that of the label unless its file has another name.
    func backup(_ id: String? = nil, sizeBytes: Int) -> BackupDescription {
        // A time that a foreign file claims may be any number.
        let expiry = createdAt.addingReportingOverflow(ContinuousLog.retentionMax)
        return BackupDescription(
            id: id ?? label.id, name: label.name, kind: label.kind, createdAt: createdAt,
            expiresAt: label.kind == .system && !expiry.overflow ? expiry.partialValue : nil,
            sizeBytes: Int64(sizeBytes),
            table: TableDescription(
                schema: definition.schema, createdAt: definition.createdAt, id: tableID,
                content: ContentSize(items: Int64(itemCount), bytes: itemBytes)))
    }
}

/// The settings that an image says; none for older ones, nil where they cannot be read.
private func storedSettings(_ item: Item) -> [String: String]? {
    guard let map = item["settings"] else { return [:] }
    guard let attributes = map.mapValue else { return nil }
    var settings: [String: String] = [:]
    for (name, value) in attributes {
        guard let value = value.stringValue else { return nil }
        settings[name.text] = value
    }
    return settings
}

extension TableImage.Companion {
    /// The companions that an image says; none for older ones, nil where they cannot be read.
    fileprivate static func all(in item: Item) -> [TableImage.Companion]? {
        guard let list = item["companions"] else { return [] }
        guard let values = list.listValue else { return nil }
        let companions = values.compactMap { $0.mapValue.flatMap(TableImage.Companion.init(item:)) }
        return companions.count == values.count ? companions : nil
    }

    fileprivate var item: Item {
        [
            "kind": .string(kind), "definition": .map(definition.item), "space": .number(Int64(definition.space)),
            "itemCount": .number(Int64(itemCount)),
        ]
    }

    fileprivate init?(item: Item) {
        guard let kind = item["kind"]?.stringValue, !kind.isEmpty, !kind.contains("."),
            let space = item["space"]?.int64Value.flatMap(UInt32.init(exactly:)),
            let definition = item["definition"]?.mapValue.flatMap({ TableDefinition(item: $0, space: space) }),
            let itemCount = item["itemCount"]?.int64Value, TableImage.numbers.contains(itemCount)
        else { return nil }
        self.init(kind: kind, definition: definition, itemCount: Int(itemCount))
    }
}

extension [String: String] {
    fileprivate var attributes: Item {
        Item(uniqueKeysWithValues: map { (AttributeName($0.key), AttributeValue.string($0.value)) })
    }
}

/// The parts of the file of an image: blocks of items in the order of their keys, blocks of the items of companions,
/// one companion after the other, a block that describes it, and the place of that block.
enum ImageFile {
    /// The kind of block that holds items: each its key without the table's space, and its stored form; an encrypted
    /// one as in the store's file.
    static let items: UInt8 = 1
    /// The kind of block that holds items of a companion: the companion's kind, then each item as above.
    static let companionItems: UInt8 = 3
    /// The kind of block that holds a `TableImage`.
    static let description: UInt8 = 2
    /// What the file ends with, behind the place of the description in eight bytes.
    static let end = Array("TBLSEND1".utf8)
}
