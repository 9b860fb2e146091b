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
        guard text.utf8.count <= 8_192, let bytes = Base64URL.decode(text), let value = try? JSONValue(parsing: bytes),
            let values = value.arrayValue?.compactMap(\.stringValue), values.count == names.count + 1,
            values[0] == letter
        else { throw .invalidCursor }
        self.letter = letter
        start = Dictionary(uniqueKeysWithValues: zip(names, values.dropFirst().map { .string($0) }))
    }

    /// The cursor's text.
    func text(names: [AttributeName]) -> String {
        let values = [letter] + names.map { start[$0]?.stringValue ?? "" }
        return Base64URL.encode(JSONValue.array(values.map { .string($0) }).serializedBytes())
    }
}

/// Base64 with the alphabet for URLs and file names, without padding (RFC 4648 section 5).
enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// The text of `bytes`.
    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count * 4 + 2) / 3)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var word: UInt32 = 0
            for offset in 0..<3 { word = word << 8 | (offset < count ? UInt32(bytes[start + offset]) : 0) }
            for digit in 0...count { text.append(alphabet[Int(word >> UInt32(18 - 6 * digit)) & 63]) }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of `text`; nil when it is not such a text.
    static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var word: UInt32 = 0
        var bits: UInt32 = 0
        for character in text.utf8 {
            guard let value = alphabet.firstIndex(of: character) else { return nil }
            word = word << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: word >> bits))
                word &= 1 << bits - 1
            }
        }
        return word == 0 && bits < 6 ? bytes : nil
    }
}
