import JSON

/// Reads the members of a request, or of a structure within, that has been checked against its shape.
///
/// Valid only as long as the tape that the view is of.
struct RequestReader {
    let view: JSONView

    /// Whether a member is there.
    func has(_ name: StaticString) -> Bool { member(name) != nil }

    /// A member; nil when it is absent or `null`, which is the same.
    func member(_ name: StaticString) -> JSONView? {
        guard let value = view[name], !value.isNull else { return nil }
        return value
    }

    /// A text.
    func text(_ name: StaticString) -> String? { member(name)?.string }

    /// Whether a text is this one.
    func isText(_ name: StaticString, _ text: StaticString) -> Bool {
        member(name)?.stringBytes?.hasSameBytes(as: text) ?? false
    }

    /// A truth value; an absent one is false unless said otherwise.
    func flag(_ name: StaticString, default value: Bool = false) -> Bool { member(name)?.truth ?? value }

    /// A whole number.
    func number(_ name: StaticString) -> Int64? { member(name)?.wholeValue }

    /// A structure.
    func structure(_ name: StaticString) -> RequestReader? { member(name).map { RequestReader(view: $0) } }

    /// The structures of a list.
    func structures(_ name: StaticString) -> [RequestReader] {
        member(name)?.elements.map { RequestReader(view: $0) } ?? []
    }

    /// The texts of a list; nil when there is no list.
    func texts(_ name: StaticString) -> [String]? { member(name)?.elements.map { $0.string ?? "" } }

    /// Typed values by name.
    func attributes(_ name: StaticString) throws(ProtocolError) -> Item? {
        guard let view = member(name) else { return nil }
        return try AttributeValueReader.attributes(view)
    }

    /// The table's name, also where it is given by ARN.
    var tableName: String { view["TableName"]?.stringBytes.map { RequestReader.tableName($0) } ?? "" }

    /// A table's name, also where it is given by ARN.
    static func tableName(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes.tableNameInARN ?? bytes, as: UTF8.self)
    }

    /// Checks the name of a table in a request on tables, where DynamoDB does so before anything else.
    func checkControlTableName(_ name: StaticString = "TableName") throws(ProtocolError) {
        guard let bytes = member(name)?.stringBytes else {
            throw .validation("The parameter '\(name)' is required but was not present in the request")
        }
        guard bytes.tableNameInARN != nil || (3...255).contains(bytes.count) else {
            throw .validation("\(name) must be at least 3 characters long and at most 255 characters long")
        }
    }
}
