import Bytes
import DynamoModel
import JSON

/// Where a list goes on: the key of the last item that was answered, as opaque text.
///
/// The text is base64url (RFC 4648 section 5) of a JSON array: the order's letter, PK, SK and the index's two keys. It
/// holds nothing secret and is not signed: a made-up cursor begins somewhere else in the same partition, no more.
struct ListCursor: Equatable {
    /// Which list it belongs to.
    let letter: String
    /// The attributes that `exclusiveStart` takes.
    let start: Item

    /// The place after `item` in the order of the key attributes with these names.
    init(letter: String, after item: Item, names: [AttributeName]) {
        self.letter = letter
        start = item.filter { names.contains($0.key) }
    }

    /// Reads a cursor's text.
    ///
    /// - Parameter names: PK, SK and the names of the index's keys.
    /// - Throws: `invalidCursor` when it belongs to another list or was made up badly.
    init(_ text: String, letter: String, names: [AttributeName]) throws(FlagStoreError) {
        guard text.utf8.count <= 8_192, let bytes = URLSafeText.decode(text.utf8),
            let value = try? JSONValue(parsing: bytes),
            let values = value.arrayValue?.compactMap(\.stringValue), values.count == names.count + 1,
            values[0] == letter
        else { throw .invalidCursor }
        self.letter = letter
        start = Dictionary(uniqueKeysWithValues: zip(names, values.dropFirst().map { .string($0) }))
    }

    /// The cursor's text.
    func text(names: [AttributeName]) -> String {
        let values = [letter] + names.map { start[$0]?.stringValue ?? "" }
        return URLSafeText.text(of: JSONValue.array(values.map { .string($0) }).serializedBytes())
    }
}
