import Bytes
import DynamoModel
import JSON

/// Reads the members of a request, or of a structure within, that has been checked against its shape.
///
/// Valid only as long as the tape that the view is of.
package struct RequestReader {
    let view: JSONView
    /// How resources are named to whoever asks.
    let resources: ResourceNames

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
    func structure(_ name: StaticString) -> RequestReader? {
        member(name).map { RequestReader(view: $0, resources: resources) }
    }

    /// The structures of a list.
    func structures(_ name: StaticString) -> [RequestReader] {
        member(name)?.elements.map { RequestReader(view: $0, resources: resources) } ?? []
    }

    /// The texts of a list; nil when there is no list.
    func texts(_ name: StaticString) -> [String]? { member(name)?.elements.map { $0.string ?? "" } }

    /// Typed values by name.
    func attributes(_ name: StaticString) throws(ProtocolError) -> Item? {
        guard let view = member(name) else { return nil }
        return try converting { () throws(TableError) in try AttributeValueReader.attributes(view) }
    }

    /// The table's name, also where it is given by ARN.
    var tableName: String { view["TableName"]?.stringBytes.map { RequestReader.tableName($0) } ?? "" }

    /// A table's name, also where it is given by ARN.
    static func tableName(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes.tableNameInARN ?? bytes, as: UTF8.self)
    }

    /// Checks the name of the table, if there is one, before anything else is looked at: what is wrong with it is told
    /// alone, whatever else is.
    ///
    /// - Parameter isRequiredFirst: whether it is also told here that the name is missing; else that is told with the
    ///   other constraints.
    /// - Throws: `ValidationException`.
    func checkTableName(isRequiredFirst: Bool) throws(ProtocolError) {
        guard let bytes = member("TableName")?.stringBytes else {
            guard isRequiredFirst else { return }
            throw .validation("The parameter 'TableName' is required but was not present in the request")
        }
        guard let fault = bytes.tableNameFault else { return }
        throw .validation(
            "1 validation error detected: Value '\(String(decoding: bytes, as: UTF8.self))' at 'tableName' failed to"
                + " satisfy constraint: \(fault)")
    }
}

extension UnsafeRawBufferPointer {
    /// What is wrong with the name or ARN of a table, one thing at a time; nil if nothing is.
    ///
    /// The service description has 1 to 1,024 characters since ARNs are taken here; what names are made of is checked
    /// behind it. Earlier the service told all of it at once, and of requests on tables in words of their own
    /// ("TableName must be at least 3 characters long…"), which older recordings still have.
    var tableNameFault: String? {
        if isEmpty { return "Member must have length greater than or equal to 1" }
        if tableNameInARN != nil { return nil }
        if !isName { return "Member must satisfy regular expression pattern: \(Shape.TextRule.namePattern)" }
        if count < 3 { return "Member must have length greater than or equal to 3" }
        return count > 255 ? "Member must have length less than or equal to 255" : nil
    }
}
