import Bytes

/// An item as a change has it. Where it is encrypted, its key stands before it, which is needed to read it: a format
/// byte, the length of the key (unsigned LEB128), the key with the table's number, and the stored form of the item, or
/// of its difference to the other image of the change.
enum ChangeImage {
    /// The first byte of an encrypted image.
    static let format: UInt8 = 4

    /// The image of an item in its stored form.
    static func encode(_ stored: [UInt8], at key: [UInt8]) -> [UInt8] {
        guard stored.first == ItemSeal.format else { return stored }
        var image: [UInt8] = []
        image.reserveCapacity(stored.count + key.count + 3)
        image.append(format)
        RecordWriter.append(key, to: &image)
        image.append(contentsOf: stored)
        return image
    }

    /// The key and the stored form of an encrypted image; nil for one that is not encrypted.
    ///
    /// - Throws: `ItemCodecError.damaged` when it is not what `encode` writes.
    static func parts(
        _ image: UnsafeRawBufferPointer
    ) throws(ItemCodecError) -> (key: [UInt8], stored: UnsafeRawBufferPointer)? {
        guard image.first == format else { return nil }
        var (length, shift, position) = (0, 0, 1)
        while true {
            guard position < image.count, shift < 28 else { throw .damaged }
            let byte = image[position]
            position += 1
            length |= Int(byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 { break }
        }
        guard length <= image.count - position else { throw .damaged }
        let stored = UnsafeRawBufferPointer(rebasing: image[(position + length)...])
        guard stored.first == ItemSeal.format else { throw .damaged }
        return ([UInt8](image[position..<(position + length)]), stored)
    }
}

extension ItemSeal {
    /// What an encrypted text begins with.
    private static let textPrefix = "encrypted "

    /// The stored form of a text that says who made a change, and how.
    ///
    /// - Parameters:
    ///   - record: the text.
    ///   - key: the key of the item that was changed.
    func seal(record: String, at key: [UInt8]) -> String {
        guard isSealing, !record.isEmpty else { return record }
        return Self.textPrefix + String(decoding: BinaryText.encode(seal(Array(record.utf8), at: key)), as: UTF8.self)
    }

    /// The text again; see `seal(record:at:)`.
    func open(record: String, at key: [UInt8]) throws(ItemCodecError) -> String {
        guard record.hasPrefix(Self.textPrefix) else { return record }
        var text = String(record.dropFirst(Self.textPrefix.count))
        guard let stored = text.withUTF8({ try? BinaryText.decode(UnsafeRawBufferPointer($0)) }) else { throw .damaged }
        return String(decoding: try open(stored, at: key), as: UTF8.self)
    }

    /// Gives the item, or the difference, that an image of a change holds; see the other `open`.
    func open<Result>(
        image: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws(ItemCodecError) -> Result
    ) throws(ItemCodecError) -> Result {
        guard let (key, stored) = try ChangeImage.parts(image) else { return try body(image) }
        return try open(stored, at: key, body)
    }

    /// The item, or the difference, that an image of a change holds; see the other `open`.
    func open(image: UnsafeRawBufferPointer) throws(ItemCodecError) -> [UInt8] {
        try open(image: image) { (item) throws(ItemCodecError) in [UInt8](item) }
    }
}
